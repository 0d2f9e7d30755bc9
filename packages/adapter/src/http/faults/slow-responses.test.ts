import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { askings } from '../../../test/http-clients.js'
import { answering, serve } from '../../../test/http.js'
import { connected, lifeOf, listen } from '../../../test/tcp.js'
import { slowResponses } from './slow-responses.js'

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

describe.each(Object.entries(askings))('slowResponses, with %s', (_name, { target, ask }) => {
  it('makes a trickle of small pieces, each a pause behind the one before it', async () => {
    const [server, clock] = [await serve(answering('abcdef', 'content-length')), manualClock()]
    await withFault(
      slowResponses({ delayMs: 100, pieceBytes: 2 }),
      target(server),
      { clock, only: 'GET */items' },
      async (injection) => {
        const pieces: string[] = []
        const asking = ask(`${server.origin}/items`, undefined, (piece) => pieces.push(piece))
        for (const expected of [['ab'], ['ab', 'cd'], ['ab', 'cd', 'ef']]) {
          if (expected.length === 1) await vi.waitFor(() => expect(injection.held).toBeGreaterThan(1))
          await clock.advance(99)
          expect(pieces).toEqual(expected.slice(0, -1))
          await clock.advance(1)
          await vi.waitFor(() => expect(pieces).toEqual(expected))
        }
        await injection.rollback()
        expect((await asking).text).toBe('abcdef')
      },
    )
    expect((await ask(server.origin)).text).toBe('abcdef')
  })

  it('holds whole pieces back, and lets them go in order when it ends', async () => {
    const server = await serve(answering('hello, world', 'chunked'))
    const injection = await inject(slowResponses({ delayMs: 60_000 }), target(server), { limit: 1 })
    const asking = ask(server.origin)
    await vi.waitFor(() => expect(injection.held).toBeGreaterThan(1))
    await injection.rollback()
    expect((await asking).text).toBe('hello, world')
  })
})

describe('slowResponses, with a server', () => {
  it('holds each piece for its own time, however the handler waits between them', async () => {
    const clock = manualClock()
    const responses: http.ServerResponse[] = []
    const { origin, server } = await serve((_request, response) => {
      responses.push(response.writeHead(200, { 'content-length': 2 }))
      response.write('a')
    })
    await withFault(slowResponses({ delayMs: 100 }), server, { clock }, async (injection) => {
      const pieces: string[] = []
      const asking = once(http.get(origin), 'response').then(([response]: readonly http.IncomingMessage[]) =>
        response?.on('data', (piece: Buffer) => pieces.push(String(piece))),
      )
      await vi.waitFor(() => expect(injection.held).toBeGreaterThan(1))
      const before = injection.held
      await clock.advance(60)
      responses[0]?.end('b')
      await vi.waitFor(() => expect(injection.held).toBeGreaterThan(before))
      await clock.advance(40)
      await asking
      await vi.waitFor(() => expect(pieces).toEqual(['a']))
      expect(responses[0]?.writableFinished).toBe(false)
      await clock.advance(60)
      await vi.waitFor(() => expect(pieces).toEqual(['a', 'b']))
      expect(responses[0]?.writableFinished).toBe(true)
    })
  })

  it('is waited for by a server that closes in order', async () => {
    const clock = manualClock()
    const { origin, server } = await serve((_request, response) => void response.end('answer'))
    await withFault(slowResponses({ delayMs: 100 }), server, { clock }, async (injection) => {
      const asking = once(http.get(origin, { agent: false }), 'response')
      await vi.waitFor(() => expect(injection.held).toBeGreaterThan(1))
      const closes = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      await clock.advance(100)
      const [response] = (await asking) as [http.IncomingMessage]
      expect(await text(response)).toBe('answer')
      await closes
    })
    // The end of the test closes it again.
    server.listen(0)
  })
})

describe('slowResponses, with node:net', () => {
  it('makes a trickle of whatever comes', async () => {
    const clock = manualClock()
    const { port } = await listen((socket) => void socket.end('abcdef'))
    await withFault(
      slowResponses({ delayMs: 100, pieceBytes: 4 }),
      net,
      { clock, only: `*:${port}` },
      async (injection) => {
        const life = lifeOf(await connected(port))
        await vi.waitFor(() => expect(injection.held).toBeGreaterThan(1))
        await clock.advance(200)
        expect((await life).filter((event) => event.startsWith('data'))).toEqual(['data abcd', 'data ef'])
      },
    )
  })
})
