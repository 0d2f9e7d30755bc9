import { connect } from '@chaos/control'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { startCommand, startShop, type Shop } from '../../test/live/shop.js'

/** Processes start, on a machine that may be busy. */
const SLOW_MS = 60_000

/** The faults that are in force, and how many calls they hold. Watches are faults, too. */
async function inForce(client: Awaited<ReturnType<typeof clientOf>>): Promise<readonly number[]> {
  return (await client.injections()).filter(({ status }) => status !== 'ended').map(({ held }) => held)
}

async function clientOf({ path }: Shop): ReturnType<typeof connect> {
  const client = await connect({ socketPath: path })
  onTestFinished(() => client.close())
  return client
}

/** A search whose load hangs under the first fault. */
const hangs = ({ url, path }: Shop): readonly string[] => [
  ...['--socket', path, '--load', `POST ${url}/orders`, '--reset', `POST ${url}/reset`, '--check', `${url}/stats`],
  ...['--fault', 'hang-calls', '--quiet', '10ms', '--deadline', '10m', '--restart', '1ms'],
]

describe.skipIf(process.platform === 'win32')('the process of the command', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
    'ends by %s with nothing in force',
    { timeout: SLOW_MS },
    async (signal) => {
      const shop = await startShop()
      const client = await clientOf(shop)
      const landed = new Promise<void>((resolve) => {
        client.follow(({ type }) => type === 'landed' && resolve())
      })
      const { child, ended } = startCommand(shop, hangs(shop))
      await landed
      expect(await inForce(client)).toEqual([0, 1, 0])
      child.kill(signal)
      const { code, out, err } = await ended
      expect(err).toBe(`interrupted (${signal}): what was in force has been rolled back\n`)
      expect(out).toMatch(/not complete: 1 set remains, it was given up\n/)
      expect(code).toBe(130)
      expect(await inForce(client)).toEqual([])
    },
  )

  it('may be killed: the app ends what it held', { timeout: SLOW_MS }, async () => {
    const shop = await startShop()
    const client = await clientOf(shop)
    const landed = new Promise<void>((resolve) => {
      client.follow(({ type }) => type === 'landed' && resolve())
    })
    const { child, ended } = startCommand(shop, hangs(shop))
    await landed
    child.kill('SIGKILL')
    expect((await ended).signal).toBe('SIGKILL')
    // Long before the leases end.
    await vi.waitFor(async () => expect(await inForce(client)).toEqual([]), { timeout: 5_000 })
  })
})

describe('an app', () => {
  it('that is killed ends the search with a finding, if it does not come back', { timeout: SLOW_MS }, async () => {
    const shop = await startShop()
    const client = await clientOf(shop)
    client.follow(({ type }) => type === 'landed' && shop.kill('SIGKILL'))
    const { code, out, err } = await startCommand(shop, hangs(shop)).ended
    expect(err).toBe('')
    expect(out).toContain(
      '1. payments.charge #1: adapter/hang-calls\n   The app ended, hangs, or closed its control endpoint. The app ended under faults, and could not be reached again within 1 ms.',
    )
    expect(out).toContain('not complete: a finding spoiled the runs after it')
    expect(code).toBe(10)
  })

  it('that ends under a fault and is started again is searched to the end', { timeout: SLOW_MS }, async () => {
    const shop = await startShop({ isSupervised: true })
    const { url } = shop
    const { code, out, err } = await startCommand(shop, [
      ...['--name', 'shop', '--load', `POST ${url}/risky`, '--reset', `POST ${url}/reset`, '--check', `${url}/stats`],
      ...['--target', 'store', '--quiet', '10ms', '--restart', '30s'],
    ]).ended
    expect(err).toBe('')
    expect(out).toMatch(/1 of 1 sets run; .*; complete\n/)
    expect(out).toContain('1. store.save #1: adapter/refuse-calls\n   The app ended')
    expect(code).toBe(10)
  })
})
