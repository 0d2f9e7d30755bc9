import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { manualClock } from '@chaos/core/testing'
import { openSocket } from '../src/index.js'
import { isEnd, mounted, nextEntry, privateFolder, testChaos, TOKEN } from './support.js'

/** A process of its own that connects, injects, and is then there until it is killed. */
async function clientProcess(address: object, hold: string, leaseMs: number) {
  const script = `
    import { connect } from './dist/index.js'
    const client = await connect(JSON.parse(process.argv[1]))
    await client.inject('bus', 'drop-events', {}, { hold: process.argv[2], leaseMs: Number(process.argv[3]) })
    console.log('injected')
    await client.closed`
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, JSON.stringify(address), hold, String(leaseMs)],
    {
      cwd: new URL('..', import.meta.url),
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  await once(child.stdout, 'data')
  return { child, exited }
}

it.each(['a socket', 'a mounted endpoint'])(
  'ends at once what a client of %s held by its connection, when the client is killed',
  async (way) => {
    const clock = manualClock()
    const { controller, bus } = testChaos({ clock })
    const endpoint = await openSocket(controller, { directory: join(privateFolder(), 's') })
    onTestFinished(() => endpoint.close())
    const address =
      way === 'a socket' ? { socketPath: endpoint.path } : { url: (await mounted(controller)).url, token: TOKEN }
    const { child, exited } = await clientProcess(address, 'connection', 60_000)
    expect(Object.getPrototypeOf(bus)).not.toBe(bus.constructor.prototype)
    const ended = nextEntry(controller, isEnd())
    child.kill('SIGKILL')
    expect(await exited).toEqual([null, 'SIGKILL'])
    // The clock has not moved: no lease and no heartbeat had a part in this.
    expect(await ended).toMatchObject({ injection: { outcome: 'stopped' } })
    expect(clock.now()).toBe(0)
    expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
  },
)

it('ends at its lease what a client held by lease, when the client is killed', async () => {
  const clock = manualClock()
  const { controller, bus } = testChaos({ clock })
  const endpoint = await openSocket(controller, { directory: join(privateFolder(), 's') })
  onTestFinished(() => endpoint.close())
  const { child, exited } = await clientProcess({ socketPath: endpoint.path }, 'lease', 5_000)
  child.kill('SIGKILL')
  await exited
  await clock.advance(4_999)
  expect(await controller.injections()).toMatchObject([{ status: 'active' }])
  await clock.advance(1)
  expect(await controller.injections()).toMatchObject([{ status: 'ended', outcome: 'lease-expired' }])
  expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
})

it('ends at its next heartbeats what a client held that is frozen', async () => {
  const clock = manualClock()
  const { controller, bus } = testChaos()
  const endpoint = await openSocket(controller, { directory: join(privateFolder(), 's'), clock })
  onTestFinished(() => endpoint.close())
  const { child } = await clientProcess({ socketPath: endpoint.path }, 'connection', 60_000)
  const ended = nextEntry(controller, isEnd())
  child.kill('SIGSTOP')
  await clock.advance(5_000)
  await clock.advance(5_000)
  expect(await ended).toMatchObject({ injection: { outcome: 'stopped' } })
  expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
})
