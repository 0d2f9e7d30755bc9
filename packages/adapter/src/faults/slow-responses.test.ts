import { inject } from '@chaos/core'
import { faultContract, manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { connected, listen, tcpServer } from '../../test/tcp.js'
import { slowResponses } from './slow-responses.js'

describe('the contract', () => {
  let server: Awaited<ReturnType<typeof tcpServer>>
  beforeAll(async () => (server = await tcpServer()))
  afterAll(() => server.close())

  const cases = faultContract<typeof net>({
    fault: () => slowResponses({ delayMs: 10 }),
    target: () => net,
    touched: () => [net.Socket.prototype],
    async exercise(_net, times) {
      const socket = await connected(server.port)
      for (let read = 0; read < times; read += 1) socket.push(Buffer.from('answer'))
    },
  })
  for (const { title, run } of cases) it(title, run)
})

describe('slowResponses', () => {
  it('holds back what a server sends, in order, its end included, and what it asks goes out at once', async () => {
    const { port } = await listen((socket) => void socket.once('data', () => socket.end('pong')))
    const clock = manualClock()
    const injection = await inject(slowResponses({ delayMs: 300 }), net, { clock, only: `*:${port}` })
    const socket = await connected(port)
    const heard: string[] = []
    socket.on('data', (chunk) => heard.push(String(chunk))).on('end', () => heard.push('end'))
    socket.write('ping')
    await vi.waitFor(() => expect([injection.held, injection.queued]).toEqual([2, 1]))
    await clock.advance(299)
    expect(heard).toEqual([])
    const closes = once(socket, 'close')
    await clock.advance(1)
    await closes
    expect(heard).toEqual(['pong', 'end'])
    await injection.rollback()
  })

  it('delivers what it holds when it ends', async () => {
    const { port } = await listen((socket) => void socket.once('data', () => socket.write('pong')))
    const injection = await inject(slowResponses({ delayMs: 60_000 }), net, { only: `*:${port}` })
    const socket = await connected(port)
    const answers = once(socket, 'data')
    socket.write('ping')
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await injection.rollback()
    expect(String((await answers)[0])).toBe('pong')
    socket.destroy()
  })
})
