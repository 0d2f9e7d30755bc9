import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { inject } from '@chaos/core'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { duplicateEvents } from '../../faults/duplicate-events.js'
import { bindWebSocket, bindWebSocketServer } from './index.js'
import { SEND_BUFFER_BYTES } from './send-buffer.js'

const held = delayEvents({ delayMs: 60_000, seam: 'publish' })

/** Two ends of a connection, and the sizes of what the far end got. */
async function pair() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const connected = once(server, 'connection') as Promise<[WebSocket]>
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await once(client, 'open')
  const [peer] = await connected
  onTestFinished(() => {
    client.terminate()
    server.close()
  })
  const got: number[] = []
  peer.on('message', (data: Buffer) => got.push(data.byteLength))
  return { server, client, peer, got }
}

/** Sends, and notes when the callback comes. */
function send(socket: WebSocket, size: number, ended: string[]): void {
  const name = `${size}`
  socket.send(Buffer.alloc(size), (error) => ended.push(`${name} ${error?.message ?? 'well'}`))
}

it('takes what is held as the system does for a silent peer, until its buffer is full, and says how much waits', async () => {
  const { client, got } = await pair()
  const injection = await inject(held, bindWebSocket(client))
  const ended: string[] = []
  send(client, SEND_BUFFER_BYTES - 1, ended)
  send(client, 1, ended)
  send(client, 3, ended)
  send(client, 4, ended)
  expect(ended).toEqual([])
  await vi.waitFor(() => expect(ended).toEqual([`${SEND_BUFFER_BYTES - 1} well`, '1 well']))
  expect([client.bufferedAmount, injection.account['held']]).toEqual([7, 4])
  await injection.rollback()
  await vi.waitFor(() => expect(ended.slice(2)).toEqual(['3 well', '4 well']))
  await vi.waitFor(() => expect(got).toEqual([SEND_BUFFER_BYTES - 1, 1, 3, 4]))
  expect([client.bufferedAmount, Object.hasOwn(client, 'bufferedAmount')]).toEqual([0, false])
})

it('tells a sender that waits for room that its socket was closed', async () => {
  const { client } = await pair()
  const injection = await inject(held, bindWebSocket(client))
  const ended: string[] = []
  send(client, SEND_BUFFER_BYTES + 1, ended)
  client.terminate()
  await once(client, 'close')
  await injection.rollback()
  await vi.waitFor(() =>
    expect(ended).toEqual([`${SEND_BUFFER_BYTES + 1} WebSocket is not open: readyState 3 (CLOSED)`]),
  )
})

it('has room again for each message that has left, dropped or repeated', async () => {
  const { client, got } = await pair()
  const bus = bindWebSocket(client)
  const repeated = await inject(duplicateEvents({ seam: 'publish', spacingMs: 1 }), bus, { limit: 2 })
  const ended: string[] = []
  for (const size of [SEND_BUFFER_BYTES, SEND_BUFFER_BYTES - 1]) {
    send(client, size, ended)
    await vi.waitFor(() => expect(got.filter((one) => one === size)).toHaveLength(2))
  }
  await repeated.rollback()
  const dropped = await inject(dropEvents({ seam: 'publish' }), bus)
  send(client, SEND_BUFFER_BYTES, ended)
  send(client, 2 * SEND_BUFFER_BYTES, ended)
  await vi.waitFor(() => expect(ended).toHaveLength(4))
  expect([client.bufferedAmount, dropped.affected]).toEqual([0, 2])
  await dropped.rollback()
})

it.each(['client', 'server'] as const)(
  'lets a stream over a %s write on behind what is held, up to the buffer',
  async (side) => {
    const { server, client, peer } = await pair()
    const [bus, near, far] =
      side === 'client' ? [bindWebSocket(client), client, peer] : [bindWebSocketServer(server), peer, client]
    const stream = createWebSocketStream(near)
    stream.on('error', () => undefined)
    const arrived: string[] = []
    far.on('message', (data: Buffer) => arrived.push(data.toString()))
    const injection = await inject(held, bus)
    for (const text of ['a', 'b', 'c']) await new Promise<void>((resolve) => stream.write(text, () => resolve()))
    expect([injection.account['held'], arrived]).toEqual([3, []])
    await injection.rollback()
    await vi.waitFor(() => expect(arrived).toEqual(['a', 'b', 'c']))
  },
)
