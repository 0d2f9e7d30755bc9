import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ChaosController } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { ask, isEnd, nextEntry, privateFolder, testChaos } from '../../test/support.js'
import { connect } from '../client/connect.js'
import { discover } from '../client/discover.js'
import { openSocket, type ControlEndpoint } from './unix-socket.js'

async function opened(options: Parameters<typeof testChaos>[0] = {}) {
  const directory = join(privateFolder(), 'sockets')
  const chaos = testChaos(options)
  const endpoint = await openSocket(chaos.chaos, { directory, name: 'an app' })
  onTestFinished(() => endpoint.close())
  return {
    ...chaos,
    endpoint,
    directory,
    ask: (path: string, how: Parameters<typeof ask>[1] = {}) =>
      ask(`http://localhost${path}`, { ...how, socketPath: endpoint.path }),
  }
}

describe('a control socket', () => {
  it('is private, and says whose it is', async () => {
    const { endpoint, directory } = await opened()
    expect(endpoint.path).toBe(join(directory, `${process.pid}-1.sock`))
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    expect(statSync(endpoint.path).mode & 0o777).toBe(0o600)
    const record = join(directory, `${process.pid}-1.json`)
    expect(statSync(record).mode & 0o777).toBe(0o600)
    const said = JSON.parse(readFileSync(record, 'utf8')) as { readonly startedAt: number }
    expect(said).toMatchObject({ pid: process.pid, name: 'an app', socketPath: endpoint.path })
    expect(said.startedAt).toBeLessThanOrEqual(Date.now())
    expect(readdirSync(directory)).toHaveLength(2)
  })

  it('is one for a name, however often a module is evaluated again: the last controller has it', async () => {
    const { controller, endpoint, directory } = await opened()
    const listeners = process.listenerCount('exit')
    expect(await openSocket(controller, { directory, name: 'an app' })).toBe(endpoint)
    const endpoints = [endpoint]
    for (let evaluation = 0; evaluation < 20; evaluation += 1)
      endpoints.push(await openSocket(testChaos().controller, { directory, name: 'an app' }))
    const last = endpoints.at(-1)
    onTestFinished(() => last?.close())
    expect(readdirSync(directory)).toHaveLength(2)
    expect(process.listenerCount('exit')).toBe(listeners)
    await Promise.all(endpoints.slice(0, -1).map(({ closed }) => closed))
    await last?.close()
    expect([readdirSync(directory), process.listenerCount('exit')]).toEqual([[], listeners - 1])
  })

  it('is one for a name when two ask at once, and another for another name', async () => {
    const { directory, endpoint } = await opened()
    const both = await Promise.all(
      [testChaos(), testChaos()].map(({ controller }) => openSocket(controller, { directory, name: 'an app' })),
    )
    const other = await openSocket(testChaos().controller, { directory, name: 'another app' })
    onTestFinished(() => Promise.all([...both, other].map((one) => one.close())).then(() => undefined))
    await endpoint.closed
    await both[0]?.closed
    expect((await discover({ directory })).map(({ name }) => name).sort()).toEqual(['an app', 'another app'])
  })

  it('keeps a connection for clients with a request, although others connect and send nothing', async () => {
    const clock = manualClock()
    const directory = join(privateFolder(), 'sockets')
    const endpoint = await openSocket(testChaos().controller, { directory, clock })
    onTestFinished(() => endpoint.close())
    const silent: Socket[] = []
    for (let n = 0; n < 200; n += 1) {
      const socket = connectSocket(endpoint.path)
      onTestFinished(() => void socket.destroy())
      socket.on('error', () => undefined)
      silent.push(socket)
      await once(socket, 'connect')
    }
    expect((await ask('http://localhost/targets', { socketPath: endpoint.path })).status).toBe(200)
    const client = await connect({ socketPath: endpoint.path })
    onTestFinished(() => client.close())
    const gone = Promise.all(silent.filter((socket) => !socket.destroyed).map((socket) => once(socket, 'close')))
    // The answer to a change comes behind the one to the heartbeat before it.
    for (const ms of [4_500, 4_500, 1_000]) {
      await clock.advance(ms)
      await client.stopAll()
    }
    await gone
    expect(await client.targets()).toHaveLength(1)
  })

  it('accepts a request to stop, however many others are under way: bodies that never come, faults that are long in coming', async () => {
    const { endpoint, bus, controller, ask: asking } = await opened()
    bus.setMaxListeners(0)
    const slow = 'POST /injections HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
    const body = JSON.stringify({ target: 'bus', fault: 'arm-slowly' })
    for (const request of [
      `${slow}Content-Length: 10\r\n\r\n`,
      `${slow}Content-Length: ${body.length}\r\n\r\n${body}`,
    ]) {
      const armed = nextEntry(controller, ({ type }) => type === 'armed')
      for (let n = 0; n < 140; n += 1) {
        const socket = connectSocket(endpoint.path)
        onTestFinished(() => void socket.destroy())
        socket.on('error', () => undefined)
        await once(socket, 'connect')
        socket.write(request)
      }
      if (request.endsWith(body)) await armed
      expect((await asking('/injections', { method: 'DELETE' })).status).toBe(200)
    }
  })

  it('leaves no listener behind for a name that is taken', async () => {
    const directory = join(privateFolder(), 'sockets')
    const chaos = testChaos()
    const warned = vi.fn()
    process.on('warning', warned)
    onTestFinished(() => void process.off('warning', warned))
    const endpoints: ControlEndpoint[] = []
    for (let n = 0; n < 13; n += 1) endpoints.push(await openSocket(chaos.controller, { directory, name: `app ${n}` }))
    onTestFinished(() => Promise.all(endpoints.map((one) => one.close())).then(() => undefined))
    await new Promise(setImmediate)
    expect(warned).not.toHaveBeenCalled()
  })

  it('serves the API without a token', async () => {
    const { ask } = await opened()
    expect((await ask('/targets', { headers: { authorization: '' } })).json()).toMatchObject([{ name: 'bus' }])
    expect((await ask('/nothing')).status).toBe(404)
    expect(
      (await ask('/injections', { method: 'POST', body: { target: 'bus', fault: 'ring', options: { times: 1 } } }))
        .status,
    ).toBe(201)
  })

  it('takes the next name when a name is taken', async () => {
    const { directory, controller } = await opened()
    const second = await openSocket(controller, { directory })
    expect(second.path).toBe(join(directory, `${process.pid}-2.sock`))
    await second.close()
  })

  it('leaves nothing behind when it is closed, once or twice, with clients connected', async () => {
    const { endpoint, directory, controller } = await opened()
    const client = await connect({ socketPath: endpoint.path })
    const held = await client.inject('bus', 'drop-events', {}, { hold: 'connection' })
    const leased = await client.inject('bus', 'drop-events')
    const before = process.listenerCount('exit')
    await Promise.all([endpoint.close(), endpoint.close()])
    await client.closed
    expect(readdirSync(directory)).toEqual([])
    expect(process.listenerCount('exit')).toBe(before - 1)
    expect(await controller.injections()).toMatchObject([
      { id: held.id, status: 'ended' },
      { id: leased.id, status: 'active' },
    ])
    await expect(client.targets()).rejects.toMatchObject({ code: 'CHAOS_ENDPOINT_UNREACHABLE' })
  })

  it('has neither timer nor follower left when it and its clients are closed', async () => {
    const [clock, clientClock] = [manualClock(), manualClock()]
    const { controller } = testChaos()
    let followers = 0
    const counted: ChaosController = {
      ...controller,
      follow(listener) {
        followers += 1
        const stop = controller.follow(listener)
        return () => {
          followers -= 1
          stop()
        }
      },
    }
    const endpoint = await openSocket(counted, { directory: privateFolder(), clock })
    const clients = await Promise.all([1, 2].map(() => connect({ socketPath: endpoint.path }, { clock: clientClock })))
    clients[0]?.follow(() => undefined)
    await clients[0]?.inject('bus', 'drop-events', {}, { hold: 'connection' })
    expect(clock.pending).toBe(1)
    expect(clientClock.pending).toBe(2)
    await clients[0]?.close()
    await endpoint.close()
    await clients[1]?.closed
    expect([clock.pending, clientClock.pending, followers]).toEqual([0, 0, 0])
  })

  it('takes back, before it is closed, what was still being armed for a stream', async () => {
    const { endpoint, controller } = await opened()
    const client = await connect({ socketPath: endpoint.path })
    const armed = nextEntry(controller, ({ type }) => type === 'armed')
    const ended = nextEntry(controller, isEnd())
    const arming = client.inject('bus', 'arm-slowly', {}, { hold: 'connection' })
    await Promise.all([armed, expect(arming).rejects.toThrow(), armed.then(() => endpoint.close())])
    expect(await ended).toMatchObject({ injection: { outcome: 'stopped' } })
  })

  it('is not opened where chaos is not switched on', async () => {
    const directory = join(privateFolder(), 'sockets')
    await expect(openSocket(testChaos({ environment: 'production' }).controller, { directory })).rejects.toMatchObject({
      code: 'CHAOS_ENVIRONMENT_REFUSED',
    })
    expect(existsSync(directory)).toBe(false)
  })

  it('is not opened in a directory that others could use, or that a link leads to', async () => {
    const { controller } = testChaos()
    const open = privateFolder()
    const link = join(privateFolder(), 'link')
    chmodSync(open, 0o755)
    symlinkSync(privateFolder(), link)
    for (const directory of [open, link])
      await expect(openSocket(controller, { directory })).rejects.toMatchObject({ code: 'CHAOS_SOCKET_DIRECTORY' })
    expect(readdirSync(open)).toEqual([])
    expect(readdirSync(link)).toEqual([])
  })

  it('is refused where its path would be cut off', async () => {
    await expect(
      openSocket(testChaos().controller, { directory: join(privateFolder(), 'x'.repeat(100)) }),
    ).rejects.toThrow('longer than 103 bytes')
  })

  it('refuses an option that it does not know', async () => {
    await expect(openSocket(testChaos().controller, { directroy: '/x' } as object)).rejects.toThrow(
      'Did you mean "directory"?',
    )
  })

  it('does not keep its process alive, even with a client connected, and is gone with it', async () => {
    const directory = join(privateFolder(), 'sockets')
    const script = `
      import { createChaos } from '@chaos/core'
      import { connect, openSocket } from './dist/index.js'
      const endpoint = await openSocket(createChaos({ environment: 'test' }).controller)
      if (process.argv[1] === 'connected') {
        const { spawn } = await import('node:child_process')
        const client = spawn(process.execPath, ['--input-type=module', '-e', \`
          import { connect } from './dist/index.js'
          const client = await connect({ socketPath: process.argv[1] })
          console.log('connected')
          await client.closed
        \`, endpoint.path], { stdio: ['ignore', 'pipe', 'inherit'] })
        await new Promise((resolve) => client.stdout.once('data', resolve))
        client.stdout.destroy()
        client.unref()
      }
      console.log('done')`
    for (const how of ['alone', 'connected']) {
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, how], {
        cwd: new URL('../../', import.meta.url),
        env: { ...process.env, CHAOS_SOCKET_DIR: directory },
        timeout: 20_000,
      })
      expect(stdout, how).toBe('done\n')
      expect(readdirSync(directory)).toEqual([])
    }
  })
})
