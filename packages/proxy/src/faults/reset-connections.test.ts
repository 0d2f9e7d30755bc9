import { once } from 'node:events'
import type { Socket } from 'node:net'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { inForce, isBalanced, startScene } from '../../test/tcp.js'
import { resetConnections, sliceData } from '../index.js'

async function scene(afterMs = 0) {
  const clock = manualClock()
  const errors: unknown[] = []
  const made = await startScene({}, (socket) => {
    socket.on('error', ({ code }: NodeJS.ErrnoException) => errors.push(code))
    socket.on('data', (bytes) => socket.write(bytes)).on('end', () => socket.end())
  })
  const client = await made.connect()
  await vi.waitFor(() => expect(made.upstream.accepted).toHaveLength(1))
  return { ...made, clock, client, errors, fault: resetConnections({ afterMs, stream: 'upstream' }) }
}

describe('resetConnections', () => {
  it('resets both ends of a live connection at its next data, which is dropped', async () => {
    const { proxy, client, errors, fault } = await scene()
    const injection = await inForce(fault, proxy)
    client.socket.write('x')
    await client.closed
    expect(client.events).toEqual(['ECONNRESET', 'close'])
    await vi.waitFor(() => expect(errors).toEqual(['ECONNRESET']))
    expect(injection.account).toEqual({ bytesIn: 1, bytesOut: 0, bytesDropped: 1, bytesHeld: 0 })
    await injection.rollback()
  })

  it('leaves idle connections alone, and those that it was not chosen for', async () => {
    const { proxy, client, fault } = await scene()
    const injection = await inForce(fault, proxy, { rate: 0 })
    client.socket.end('x')
    await client.closed
    expect([String(client.received()), client.events]).toEqual(['x', ['end', 'close']])
    expect(injection.affected).toBe(0)
    await injection.rollback()
  })

  it('resets at an end as well, and waits as long as it is told', async () => {
    const { proxy, clock, client, fault } = await scene(300)
    await inForce(fault, proxy, { clock })
    client.socket.end()
    await vi.waitFor(() => expect(proxy.connections()[0]?.hits).toHaveLength(1))
    await clock.advance(299)
    expect(client.events).toEqual([])
    await clock.advance(1)
    await client.closed
    expect(client.events).toEqual(['ECONNRESET', 'close'])
  })

  it('resets at once if it ends while a reset is due, since bytes are missing', async () => {
    const { proxy, clock, client, fault } = await scene(300)
    const injection = await inForce(fault, proxy, { clock })
    client.socket.write('x')
    await vi.waitFor(() => expect(injection.affected).toBe(1))
    await injection.rollback()
    await client.closed
    expect(client.events).toEqual(['ECONNRESET', 'close'])
    expect(clock.pending).toBe(0)
  })

  it('resets a client that does not read, and drops what waits for it', async () => {
    const { proxy, upstream, client, fault } = await scene()
    // A fault on the way, so that bytes wait behind the write that the client does not take.
    await inForce(sliceData({ sizeBytes: 1_000 }), proxy)
    client.socket.pause()
    upstream.accepted[0]?.write(Buffer.alloc(50_000_000))
    const downstreamNow = () => proxy.counters.downstream
    // Until the system takes no more for the client: the proxy has every chance to read more, and does not.
    await vi.waitFor(async () => {
      const { bytesIn } = downstreamNow()
      for (let n = 0; n < 50; n += 1) {
        client.socket.write('x')
        await once(upstream.accepted[0] as Socket, 'data')
      }
      expect(downstreamNow().bytesIn).toBe(bytesIn)
      expect(downstreamNow().bytesHeld).toBeGreaterThan(65_536)
    })
    expect(downstreamNow().bytesHeld).toBeLessThan(1_048_576)
    await inForce(fault, proxy)
    client.socket.write('x')
    await vi.waitFor(() => expect(proxy.counters.open).toBe(0))
    const downstream = downstreamNow()
    expect(downstream.bytesHeld).toBe(0)
    expect(downstream.bytesDropped).toBeGreaterThan(65_536)
    expect(isBalanced(downstream)).toBe(true)
  })
})
