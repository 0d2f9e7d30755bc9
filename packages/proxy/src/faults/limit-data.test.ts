import { describe, expect, it, vi } from 'vitest'
import { inForce, startScene } from '../../test/tcp.js'
import { limitData } from '../index.js'

describe('limitData', () => {
  it.each([0, 1, 5, 100])('passes exactly %i bytes, and closes', async (bytes) => {
    const { proxy, connect, upstream } = await startScene()
    const injection = await inForce(limitData({ bytes }), proxy)
    const client = await connect()
    const ended = vi.waitFor(() => expect(upstream.accepted[0]?.readableEnded).toBe(true))
    client.socket.write('x'.repeat(200))
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    expect(client.received().length).toBe(bytes)
    await ended
    expect(injection.account).toEqual({ bytesIn: 200, bytesOut: bytes, bytesDropped: 200 - bytes, bytesHeld: 0 })
    await injection.rollback()
  })

  it('closes when the last byte that may pass has passed', async () => {
    const { proxy, connect } = await startScene()
    const injection = await inForce(limitData({ bytes: 3 }), proxy)
    const client = await connect()
    client.socket.write('abc')
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    expect(String(client.received())).toBe('abc')
    await injection.rollback()
  })

  it('counts since it met the connection, over updates too; less than that closes at the next data', async () => {
    const { proxy, connect } = await startScene()
    const client = await connect()
    client.socket.write('before')
    await client.receives(6)
    const injection = await inForce(limitData({ bytes: 10 }), proxy, { id: 'limit' })
    client.socket.write('12345')
    await client.receives(11)
    proxy.update('limit', limitData({ bytes: 8 }))
    client.socket.write('6')
    await client.receives(12)
    proxy.update('limit', limitData({ bytes: 2 }))
    expect(client.events).toEqual([])
    client.socket.write('7')
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    expect(String(client.received())).toBe('before123456')
    await injection.rollback()
  })
})
