import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { inForce, startScene } from '../../test/tcp.js'
import { slowClose } from '../index.js'

async function closing() {
  const clock = manualClock()
  const scene = await startScene()
  const injection = await inForce(slowClose({ delayMs: 500 }), scene.proxy, { clock, id: 'slow' })
  const client = await scene.connect()
  client.socket.end('x')
  await client.receives(1)
  await vi.waitFor(() => expect(injection.affected).toBe(1))
  return { ...scene, clock, injection, client }
}

describe('slowClose', () => {
  it('passes bytes at once, and delays the end', async () => {
    const { clock, client, proxy } = await closing()
    await clock.advance(499)
    expect([client.events, proxy.counters.open]).toEqual([[], 1])
    await clock.advance(1)
    await client.closed
    expect(client.events).toEqual(['end', 'close'])
  })

  it('closes at once when it ends', async () => {
    const { injection, client } = await closing()
    await injection.rollback()
    await client.closed
  })

  it('starts again at an update', async () => {
    const { proxy, clock, client } = await closing()
    await clock.advance(400)
    proxy.update('slow', slowClose({ delayMs: 300 }))
    await clock.advance(299)
    expect(client.events).toEqual([])
    await clock.advance(1)
    await client.closed
  })
})
