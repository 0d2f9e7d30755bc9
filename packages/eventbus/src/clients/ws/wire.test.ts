import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { inject, withFault, type Fault } from '@chaos/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Bus } from '../../seams/bus.js'
import { delayEvents } from '../../faults/delay-events.js'
import { duplicateEvents } from '../../faults/duplicate-events.js'
import { bindWebSocket, bindWebSocketServer } from './index.js'

interface Ends {
  readonly wss: WebSocketServer
  readonly client: WebSocket
  readonly peer: WebSocket
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A WebSocket server on an HTTP server, with one connection. */
async function onHttp(options: { readonly perMessageDeflate?: boolean } = {}): Promise<Ends> {
  const http = createServer()
  const wss = new WebSocketServer({ server: http, perMessageDeflate: options.perMessageDeflate ?? false })
  const connected = once(wss, 'connection') as Promise<[WebSocket]>
  const client = new WebSocket(`ws://127.0.0.1:${await portOf(http)}/socket`, options)
  await once(client, 'open')
  const [peer] = await connected
  onTestFinished(() => {
    client.terminate()
    peer.terminate()
    http.close()
  })
  return { wss, client, peer }
}

/** What an object is made of: own keys, listeners by event, class, and the members of the class. */
const shape = (object: WebSocket | WebSocketServer): unknown => ({
  keys: Reflect.ownKeys(object),
  listeners: object.eventNames().map((name) => [name, object.rawListeners(name)]),
  prototype: Object.getPrototypeOf(object) as object,
  members: Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object)),
})

const delay = (seam: 'publish' | 'delivery'): Fault<Bus> => delayEvents({ delayMs: 5, seam })

describe('ws on an HTTP server', () => {
  describe.each(['publish', 'delivery'] as const)('with every message delayed at %s', (seam) => {
    it.each([
      ['plain', false],
      ['compressed', true],
    ] as const)('sends text, binary and fragments, %s, both ways', async (_how, perMessageDeflate) => {
      const { wss, client, peer } = await onHttp({ perMessageDeflate })
      expect(client.extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '')
      const long = randomBytes(50_000).toString('hex')
      const sent = ['text', Buffer.from([0, 255]), long]
      for (const [bus, from, to] of [
        [bindWebSocket(client), client, peer],
        [bindWebSocketServer(wss), peer, client],
      ] as const) {
        const got: unknown[] = []
        const keep = (data: Buffer, isBinary: boolean): unknown => got.push(isBinary ? data : String(data))
        // A delivery is delayed at the end that receives.
        const target = seam === 'publish' ? bus : to === client ? bindWebSocket(client) : bindWebSocketServer(wss)
        to.on('message', keep)
        await withFault(delay(seam), target, async (injection) => {
          sent.forEach((data) => from.send(data))
          await vi.waitFor(() => expect(got).toEqual(sent))
          expect(injection.affected).toBe(3)
        })
        await withFault(delay(seam), target, async (injection) => {
          from.send('frag', { fin: false })
          from.send('ment', { fin: true })
          await vi.waitFor(() => expect(got.at(-1)).toBe('fragment'))
          // A receiver sees one message, a sender each of its fragments.
          expect(injection.affected).toBe(seam === 'delivery' ? 1 : 2)
        })
        to.off('message', keep)
      }
    })

    it('leaves pings, pongs and the end of the connection alone', async () => {
      const { client, peer } = await onHttp()
      const injection = await inject(delayEvents({ delayMs: 60_000, seam }), bindWebSocket(client))
      const [ping, pong] = [once(peer, 'ping'), once(client, 'pong')]
      client.ping('are you there')
      expect(String((await ping)[0])).toBe('are you there')
      expect(String((await pong)[0])).toBe('are you there')
      const closed = once(peer, 'close')
      client.close(4_000, 'enough')
      expect((await closed).map(String)).toEqual(['4000', 'enough'])
      expect(injection.seen).toBe(0)
      await injection.rollback()
    })
  })

  it('calls listeners with what they get in health: `onmessage` an event, `on` data and `isBinary`', async () => {
    const { client, peer } = await onHttp()
    const got: unknown[] = []
    client.onmessage = ({ type, data, target }) => got.push([type, data, target === client])
    client.on('message', function (this: WebSocket, ...args: unknown[]) {
      got.push([args.length, args[1], this === client])
    })
    const round = async (): Promise<unknown[]> => {
      got.length = 0
      peer.send('text')
      peer.send(Buffer.from([1]))
      await vi.waitFor(() => expect(got).toHaveLength(4))
      return [...got]
    }
    const healthy = await round()
    expect(healthy).toEqual([
      ['message', 'text', true],
      [2, false, true],
      ['message', Buffer.from([1]), true],
      [2, true, true],
    ])
    const assigned = client.onmessage
    await withFault(delay('delivery'), bindWebSocket(client), async () => {
      expect(await round()).toEqual(healthy)
      expect(client.onmessage).toBe(assigned)
    })
    expect(client.onmessage).toBe(assigned)
    expect(await round()).toEqual(healthy)
  })

  it.each(['client', 'server'] as const)('counts messages that are held when the %s closes as lost', async (side) => {
    for (const seam of ['publish', 'delivery'] as const) {
      const { wss, client, peer } = await onHttp()
      const [near, far] = side === 'client' ? [client, peer] : [peer, client]
      const got: unknown[] = []
      near.on('message', (data) => got.push(data))
      far.on('message', (data) => got.push(data))
      const bus = side === 'client' ? bindWebSocket(client) : bindWebSocketServer(wss)
      const injection = await inject(delayEvents({ delayMs: 60_000, seam }), bus)
      const sender = seam === 'publish' ? near : far
      sender.send('held')
      await vi.waitFor(() => expect(injection.account).toMatchObject({ sent: 1, held: 1 }))
      const closed = once(near, 'close')
      near.terminate()
      await closed
      await injection.rollback()
      expect(injection.account).toMatchObject({ sent: 1, held: 0, delivered: 0, dropped: 1 })
      expect(got).toEqual([])
    }
  })

  it('times out a handshake as in health', async () => {
    const mute = createTcpServer((socket) => socket.on('error', () => undefined).resume())
    const url = `ws://127.0.0.1:${await portOf(mute)}`
    onTestFinished(() => void mute.close())
    const shake = async (bind: boolean): Promise<string> => {
      const socket = new WebSocket(url, { handshakeTimeout: 50 })
      const [failed, closed] = [once(socket, 'error') as Promise<[Error]>, vi.fn()]
      socket.on('close', closed)
      const injection = bind ? await inject(delayEvents({ delayMs: 60_000 }), bindWebSocket(socket)) : undefined
      const [{ message }] = await failed
      await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce())
      await injection?.rollback()
      return message
    }
    const healthy = await shake(false)
    expect(healthy).toBe('Opening handshake has timed out')
    expect(await shake(true)).toBe(healthy)
  })

  it('leaves socket and server as they were', async () => {
    const { wss, client, peer } = await onHttp()
    for (const socket of [client, peer]) socket.on('message', () => undefined)
    client.onmessage = () => undefined
    const before = [wss, client, peer].map(shape)
    for (const seam of ['publish', 'delivery'] as const) {
      for (const fault of [delay(seam), duplicateEvents({ seam })]) {
        for (const bus of [bindWebSocket(client), bindWebSocketServer(wss)]) {
          await withFault(fault, bus, async (injection) => {
            client.send('there')
            peer.send('back')
            await vi.waitFor(() => expect(injection.affected).toBeGreaterThan(0))
          })
        }
      }
    }
    expect([wss, client, peer].map(shape)).toEqual(before)
  })
})
