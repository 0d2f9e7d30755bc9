import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { inForce, isBalanced, startScene } from '../../test/tcp.js'
import { closeConnections } from '../index.js'

describe('closeConnections', () => {
  it('closes connections after a time, also idle and live ones', async () => {
    const clock = manualClock()
    const { proxy, connect } = await startScene()
    const idle = await connect()
    const busy = await connect()
    await vi.waitFor(() => expect(proxy.counters.accepted).toBe(2))
    const injection = await inForce(closeConnections({ afterMs: 300 }), proxy, { clock })
    busy.socket.write('x')
    await busy.receives(1)
    await clock.advance(299)
    expect([idle.events, busy.events, injection.affected]).toEqual([[], [], 0])
    await clock.advance(1)
    await vi.waitFor(() => expect([idle.events, busy.events]).toEqual([['end'], ['end']]))
    expect(injection.affected).toBe(2)
  })

  it('closes the side of the sender at once if the receiver does not read, and that of the receiver behind its bytes', async () => {
    const { proxy, upstream, connect } = await startScene({}, (socket) => void socket.write(Buffer.alloc(30_000_000)))
    const client = await connect()
    client.socket.pause()
    await vi.waitFor(() => expect(proxy.connections()[0]?.downstream.bytesHeld).toBeGreaterThan(0))
    await inForce(closeConnections({ afterMs: 0 }), proxy)
    await vi.waitFor(() => expect(upstream.accepted[0]?.destroyed).toBe(true))
    const [state] = proxy.connections()
    expect([state?.status, client.events]).toEqual(['closing', []])
    client.socket.resume()
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    const { downstream } = proxy.counters
    expect(isBalanced(downstream)).toBe(true)
    expect([downstream.bytesHeld, downstream.bytesOut]).toEqual([0, client.received().length])
  })

  it('resets them if it is told to', async () => {
    const { proxy, connect } = await startScene()
    const client = await connect()
    await vi.waitFor(() => expect(proxy.connections()[0]?.status).toBe('open'))
    const injection = await inForce(closeConnections({ afterMs: 0, how: 'reset' }), proxy)
    await client.closed
    expect(client.events).toEqual(['ECONNRESET', 'close'])
    await injection.rollback()
  })

  it('lets the piece of data pass whole that reaches the number of bytes', async () => {
    const { proxy, connect } = await startScene()
    const injection = await inForce(closeConnections({ afterBytes: 5 }), proxy)
    const client = await connect()
    client.socket.write('abcd')
    await client.receives(4)
    expect(client.events).toEqual([])
    client.socket.write('efgh')
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    expect(String(client.received())).toBe('abcdefgh')
    await injection.rollback()
  })

  it('counts the time of an update from when it met the connection', async () => {
    const clock = manualClock()
    const { proxy, connect } = await startScene()
    await inForce(closeConnections({ afterMs: 300 }), proxy, { clock, id: 'close' })
    const client = await connect()
    await vi.waitFor(() => expect(proxy.connections()[0]?.status).toBe('open'))
    await clock.advance(200)
    proxy.update('close', closeConnections({ afterMs: 250 }))
    await clock.advance(49)
    expect(client.events).toEqual([])
    await clock.advance(1)
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
  })

  it('needs a time or a number of bytes', () => {
    expect(() => closeConnections()).toThrow(
      'Expected `afterMs` or `afterBytes` of proxy/close-connections, got neither.',
    )
  })
})
