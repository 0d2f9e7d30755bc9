import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { inForce, startScene } from '../../test/tcp.js'
import { dropData } from '../index.js'

async function dropping(timeoutMs: number) {
  const clock = manualClock()
  const scene = await startScene()
  const injection = await inForce(dropData({ timeoutMs }), scene.proxy, { clock, leaseMs: 1_000_000, id: 'drop' })
  const client = await scene.connect()
  await vi.waitFor(() => expect(scene.proxy.connections()[0]?.status).toBe('open'))
  const send = async (dropped: number): Promise<void> => {
    client.socket.write('x')
    await vi.waitFor(() => expect(injection.account['bytesDropped']).toBe(dropped))
  }
  return { ...scene, clock, injection, client, send }
}

describe('dropData', () => {
  it('drops everything, for ever with a timeout of 0', async () => {
    const { clock, client, send, proxy } = await dropping(0)
    await send(1)
    await clock.advance(900_000)
    expect([client.received().length, client.events]).toEqual([0, []])
    expect(proxy.counters.downstream).toEqual({ bytesIn: 1, bytesOut: 0, bytesDropped: 1, bytesHeld: 0 })
  })

  it('closes the connection after a time of silence, which each piece of data starts again', async () => {
    const { clock, client, send } = await dropping(200)
    for (let n = 1; n <= 10; n += 1) {
      await clock.advance(150)
      await send(n)
    }
    expect(client.events).toEqual([])
    await clock.advance(199)
    expect(client.events).toEqual([])
    await clock.advance(1)
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    expect(client.received().length).toBe(0)
  })

  it('closes an idle connection too', async () => {
    const { clock, client } = await dropping(200)
    await clock.advance(200)
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
  })

  it('swallows the end of the stream', async () => {
    const { client, clock, upstream } = await dropping(0)
    upstream.accepted[0]?.end()
    await clock.advance(10_000)
    client.socket.write('x')
    await new Promise((resolve) => upstream.accepted[0]?.once('data', resolve))
    expect(client.events).toEqual([])
  })

  it('closes the connections that it affected when it ends', async () => {
    const { injection, client, upstream, send } = await dropping(0)
    const ended = new Promise((resolve) => upstream.accepted[0]?.once('end', resolve))
    await send(1)
    await injection.rollback()
    await Promise.all([ended, vi.waitFor(() => expect(client.events).toEqual(['end']))])
  })

  it('closes after the timeout of an update', async () => {
    const { proxy, clock, client } = await dropping(0)
    await clock.advance(5_000)
    proxy.update('drop', dropData({ timeoutMs: 100 }))
    await clock.advance(99)
    expect(client.events).toEqual([])
    await clock.advance(1)
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
  })
})
