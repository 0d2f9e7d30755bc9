import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { inject } from '@chaos/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { contentOf } from '../../../test/broker-bus.js'
import { faultTable, type Content } from '../../../test/fault-table.js'
import { listeners, oracle } from '../../../test/oracle.js'
import { reconnection } from '../../../test/reconnection.js'
import { corruptEvents } from '../../faults/corrupt-events.js'
import { delayEvents } from '../../faults/delay-events.js'
import { disconnectClient } from '../../faults/disconnect-client.js'
import { dropEvents } from '../../faults/drop-events.js'
import { bindWebSocket, bindWebSocketServer } from './index.js'

interface Pair {
  readonly server: WebSocketServer
  readonly client: WebSocket
  readonly peer: WebSocket
  readonly close: () => void
}

async function listening(): Promise<WebSocketServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  return server
}

const urlOf = (server: WebSocketServer): string => `ws://127.0.0.1:${(server.address() as AddressInfo).port}`

/** How an application comes back: ws does not by itself. */
function comingBack(
  server: WebSocketServer,
  onMessage: (data: Buffer, socket: WebSocket) => unknown,
): { readonly isUp: () => boolean; readonly close: () => void } {
  let socket: WebSocket
  let isOver = false
  const connect = (): void => {
    const made = new WebSocket(urlOf(server))
    socket = made
    made.on('message', (data: Buffer) => onMessage(data, made))
    made.on('error', () => undefined)
    made.on('close', () => {
      if (!isOver) setTimeout(connect, 10)
    })
  }
  connect()
  return {
    isUp: () => socket.readyState === WebSocket.OPEN,
    close: () => {
      isOver = true
      socket.terminate()
    },
  }
}

/** A server with one connection. */
async function pair(): Promise<Pair> {
  const server = await listening()
  const connected = once(server, 'connection') as Promise<[WebSocket]>
  const client = new WebSocket(urlOf(server))
  await once(client, 'open')
  const [peer] = await connected
  return {
    server,
    client,
    peer,
    close: () => {
      client.terminate()
      peer.terminate()
      server.close()
    },
  }
}

async function ownPair(): Promise<Pair> {
  const made = await pair()
  onTestFinished(made.close)
  return made
}

describe('WebSockets of ws', () => {
  faultTable('WebSocket client, ws', async () => {
    const { client, peer, close } = await pair()
    const got: (Content | undefined)[] = []
    // The server sends everything back.
    peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }))
    client.on('message', (data: Buffer) => got.push(contentOf(data)))
    return {
      target: bindWebSocket(client),
      name: 'message',
      publish: (content) => client.send(JSON.stringify(content)),
      got,
      touched: [client, WebSocket.prototype],
      staysAway: true,
      dispose: close,
    }
  })

  faultTable('WebSocket server, ws', async () => {
    const server = await listening()
    const got: (Content | undefined)[] = []
    server.on('connection', (peer) => peer.on('message', (data: Buffer) => got.push(contentOf(data))))
    const client = comingBack(server, (data, socket) => socket.send(data.toString()))
    const [peer] = (await once(server, 'connection')) as [WebSocket]
    return {
      target: bindWebSocketServer(server),
      name: 'message',
      publish: (content) => server.clients.forEach((each) => each.send(JSON.stringify(content))),
      got,
      touched: [server, peer, WebSocket.prototype],
      dispose: () => {
        client.close()
        server.close()
      },
    }
  })

  it('keeps text text and binary binary, for both kinds of listeners, and names messages by their content', async () => {
    const { client, peer } = await ownPair()
    const got: unknown[] = []
    client.on('message', (data: Buffer, isBinary) => got.push([data, isBinary]))
    client.addEventListener('message', ({ data }) => got.push(data))
    const nameOf = (data: unknown): string =>
      typeof data === 'string' ? (JSON.parse(data) as { type: string }).type : 'binary'
    const injection = await inject(
      corruptEvents({ damage: 'set', at: 'n', value: 2 }),
      bindWebSocket(client, { nameOf }),
      { only: 'order' },
    )
    const bytes = await inject(corruptEvents({ damage: 'truncate', length: 1 }), bindWebSocket(client, { nameOf }), {
      only: 'binary',
    })
    peer.send('{"type":"order","n":1}')
    peer.send('{"type":"user","n":1}')
    peer.send(Buffer.from([1, 2, 3]))
    await vi.waitFor(() => expect(got).toHaveLength(6))
    const [order, user] = ['{"type":"order","n":2}', '{"type":"user","n":1}']
    expect(got).toEqual([
      [Buffer.from(order), false],
      order,
      [Buffer.from(user), false],
      user,
      [Buffer.from([1]), true],
      Buffer.from([1]),
    ])
    expect([injection.affected, bytes.affected]).toEqual([1, 1])
    await bytes.rollback()
    await injection.rollback()
  })

  it('covers connections of a server that come while it is in force, and other servers not', async () => {
    const { server, client } = await ownPair()
    const other = await ownPair()
    const injection = await inject(dropEvents({ seam: 'publish' }), bindWebSocketServer(server))
    const later = new WebSocket(client.url)
    const [peer] = (await once(server, 'connection')) as [WebSocket]
    const got: string[] = []
    for (const [name, socket] of [
      ['client', client],
      ['later', later],
      ['other', other.client],
    ] as const)
      socket.on('message', (data: Buffer) => got.push(`${name} ${String(data)}`))
    for (const socket of [...server.clients, ...other.server.clients]) socket.send('lost')
    expect(injection.account).toMatchObject({ sent: 2, dropped: 2 })
    await injection.rollback()
    if (later.readyState !== WebSocket.OPEN) await once(later, 'open')
    for (const socket of server.clients) socket.send('bare')
    await vi.waitFor(() => expect([...got].sort()).toEqual(['client bare', 'later bare', 'other lost']))
    peer.terminate()
    later.terminate()
  })

  it('ends the callback of a sender once, refuses what it is given too early, and drops what is held for a socket that has closed', async () => {
    const { client, peer } = await ownPair()
    const early = new WebSocket(client.url)
    early.on('error', () => undefined)
    onTestFinished(() => early.terminate())
    const injection = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bindWebSocket(early))
    expect(() => early.send('early')).toThrow('WebSocket is not open')
    expect(injection.seen).toBe(0)
    const got: string[] = []
    peer.on('message', (data: Buffer) => got.push(String(data)))
    const send = (data: string): Promise<string> =>
      new Promise((resolve) => client.send(data, (error) => resolve(error?.message ?? 'well')))
    const lost = await inject(dropEvents({ seam: 'publish' }), bindWebSocket(client))
    expect(await send('lost')).toBe('well')
    await lost.rollback()
    expect(await send('bare')).toBe('well')
    await vi.waitFor(() => expect(got).toEqual(['bare']))
    const held = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bindWebSocket(client))
    const answer = send('held')
    client.terminate()
    await once(client, 'close')
    await held.rollback()
    expect([await answer, held.account]).toMatchObject(['well', { dropped: 1 }])
    await injection.rollback()
  })

  it('refuses the global WebSocket of Node.js, which is an event target', () => {
    const socket = Object.assign(new EventTarget(), { readyState: 1, send: () => undefined })
    expect(() => bindWebSocket(socket as never)).toThrow('The target is not a WebSocket of ws.')
  })

  it('has one socket cut as by a network that fails, which does not come back by itself', async () => {
    const { client } = await ownPair()
    const injection = await inject(disconnectClient(), bindWebSocket(client))
    const [code] = (await once(client, 'close')) as [number]
    expect(code).toBe(1006)
    expect([injection.affected, injection.seen]).toEqual([1, 1])
    await injection.rollback()
  })

  describe('the clients of a server', () => {
    reconnection(async () => {
      const server = await listening()
      const got: string[] = []
      const client = comingBack(server, (data) => got.push(String(data)))
      onTestFinished(() => {
        client.close()
        server.close()
      })
      return {
        target: bindWebSocketServer(server),
        publish: (text) => server.clients.forEach((peer) => peer.send(text)),
        got,
        isUp: client.isUp,
        replaced: () => [Reflect.get(server, 'handleUpgrade')],
      }
    })
  })

  describe.each(['client', 'server'] as const)('a %s', (side) => {
    oracle(async () => {
      const { server, client, peer } = await ownPair()
      const [near, far] = side === 'client' ? [client, peer] : [peer, client]
      far.on('message', (data) => far.send(data))
      near.on('message', listeners.billing)
      near.on('message', listeners.mail)
      return {
        target: side === 'client' ? bindWebSocket(client) : bindWebSocketServer(server),
        name: 'message',
        publish: (text) => near.send(text),
      }
    })
  })
})
