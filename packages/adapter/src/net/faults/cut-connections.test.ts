import { inject, injectedBy } from '@chaos/core'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serve } from '../../../test/http.js'
import { connected, lifeOf, listen } from '../../../test/tcp.js'
import { cutConnections } from './cut-connections.js'

describe('cutConnections', () => {
  it.each([
    ['reset', (socket: net.Socket): void => void socket.resetAndDestroy()],
    ['end', (socket: net.Socket): void => void socket.destroy()],
  ] as const)('%s reads as the real one does, event by event', async (how, cut) => {
    const { port, accepted } = await listen()
    const outage = async (outage: () => unknown): Promise<readonly string[]> => {
      const socket = await connected(port)
      const life = lifeOf(socket)
      await outage()
      return life
    }
    const real = await outage(() => cut(accepted.at(-1) as net.Socket))
    const injected = await outage(() => inject(cutConnections({ how }), net, { only: `*:${port}` }))
    expect(injected).toEqual(real)
    expect(injected.length).toBeGreaterThan(0)
  })

  it('cuts those that `only` names, says which, and marks the error', async () => {
    const [one, other] = [await listen(), await listen()]
    const [cut, spared] = [await connected(one.port), await connected(other.port)]
    const fails = once(cut, 'error').catch((reason: unknown) => [reason])
    const injection = await inject(cutConnections(), net, { only: `127.0.0.1:${one.port}` })
    expect(injection.evidence).toEqual([{ peer: `127.0.0.1:${one.port}`, how: 'reset' }])
    expect([injection.seen, injection.affected]).toEqual([1, 1])
    const [error] = (await fails) as [Error]
    expect(injectedBy(error)).toBe('adapter/cut-connections')
    expect(spared.destroyed).toBe(false)
    spared.destroy()
  })

  const idle: Readonly<Record<string, (origin: string) => Promise<() => unknown>>> = {
    async 'an idle connection of fetch'(origin) {
      await (await fetch(origin)).text()
      return async () => (await fetch(origin)).text()
    },
    async 'an idle connection of an agent of node:http'(origin) {
      const agent = new http.Agent({ keepAlive: true })
      const ask = async (): Promise<unknown> => {
        const [response] = (await once(http.get(origin, { agent }), 'response')) as [http.IncomingMessage]
        return text(response)
      }
      await ask()
      return ask
    },
    async 'an unreferenced socket'(origin) {
      const socket = await connected(Number(new URL(origin).port))
      socket.unref()
      return () => expect(socket.destroyed).toBe(true)
    },
    async 'an unreferenced session of HTTP/2'() {
      const server = http2.createServer((_request, response) => void response.end('answer')).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as net.AddressInfo
      const session = http2.connect(`http://127.0.0.1:${port}`).on('error', () => undefined)
      onTestFinished(() => {
        session.destroy()
        server.close()
      })
      const stream = session.request().resume()
      await once(stream, 'close')
      session.unref()
      return () => expect(session.destroyed).toBe(true)
    },
  }
  it.each(Object.entries(idle))('cuts %s that was made before', async (_what, begin) => {
    const { origin } = await serve()
    const again = await begin(origin)
    const injection = await inject(cutConnections(), net)
    expect(injection.affected).toBeGreaterThan(0)
    await new Promise((resolve) => setImmediate(resolve))
    await again()
  })

  it('cuts the oldest first, so that each run cuts the same ones', async () => {
    const { port } = await listen()
    const sockets: net.Socket[] = []
    for (const _nth of [1, 2, 3]) sockets.push((await connected(port)).unref())
    await inject(cutConnections(), net, { only: `*:${port}`, limit: 2 })
    expect(sockets.map((socket) => socket.destroyed)).toEqual([true, true, false])
    sockets[2]?.destroy()
  })

  it("leaves the server's own side alone", async () => {
    const { port, accepted } = await listen()
    const client = await connected(port)
    const before = accepted.length
    await inject(cutConnections(), net, { only: `127.0.0.1:${client.localPort ?? 0}` })
    expect(before).toBe(1)
    expect([client.destroyed, accepted[0]?.destroyed]).toEqual([false, false])
    client.destroy()
  })
})
