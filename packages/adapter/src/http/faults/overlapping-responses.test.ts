import { inject, type Injection } from '@chaos/core'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { askings } from '../../../test/http-clients.js'
import { answering, serve } from '../../../test/http.js'
import { lifeOf } from '../../../test/tcp.js'
import { hangResponses } from './hang-responses.js'
import { slowResponses } from './slow-responses.js'

const text = 'hello, world. '.repeat(20)

describe.each(Object.entries(askings))('two faults of responses over each other, with %s', (_name, { target, ask }) => {
  const orders = [
    ['the inner one', [0, 1]],
    ['the outer one', [1, 0]],
  ] as const
  it.each(orders)('lose no byte when %s ends first, in the middle of a body', async (_which, order) => {
    const server = await serve(answering(text, 'content-length'))
    const injections: readonly Injection[] = [
      await inject(hangResponses({ afterBytes: 50 }), target(server), { limit: 1 }),
      await inject(slowResponses({ delayMs: 1, pieceBytes: 20 }), target(server), { limit: 1 }),
    ]
    const pieces: string[] = []
    const asking = ask(server.origin, undefined, (piece) => pieces.push(piece))
    await vi.waitFor(() => expect(pieces.join('').length).toBeGreaterThan(0))
    await injections[order[0]]?.rollback()
    await injections[order[1]]?.rollback()
    expect((await asking).text).toBe(text)
    expect((await ask(server.origin)).text, 'the next one, maybe on the same connection').toBe(text)
  })
})

/** What other code sees of an object: its members, and who listens. */
const seen = (object: NodeJS.EventEmitter): unknown => ({
  functions: Object.entries(Object.getOwnPropertyDescriptors(object))
    .filter(([, { value }]) => typeof value === 'function')
    .map(([key]) => key),
  prototype: Object.getPrototypeOf(object) as object,
  listeners: object.eventNames().map((event) => [event, object.listeners(event).map(({ name }) => name)]),
})

describe('a response on its way when a fault ends', () => {
  /** What is seen of the request, the response and the connection of a response that has begun. */
  async function begun(side: 'client' | 'server', isFaulty: boolean): Promise<readonly unknown[]> {
    let met: readonly NodeJS.EventEmitter[] = []
    const { server, origin } = await serve((request, response) => {
      met = [request, response, request.socket]
      response.write(text)
    })
    const faults = isFaulty
      ? [
          await inject(hangResponses({ afterBytes: 5 }), side === 'client' ? http : server),
          await inject(slowResponses({ delayMs: 60_000 }), side === 'client' ? http : server),
        ]
      : []
    const request = http.get(origin, { agent: false }).on('error', () => undefined)
    onTestFinished(() => void request.destroy())
    const responding = once(request, 'response') as Promise<[http.IncomingMessage]>
    if (isFaulty) await vi.waitFor(() => expect(faults.map(({ held }) => held > 1)).toContain(true))
    await Promise.all(faults.map((fault) => fault.rollback()))
    const [response] = await responding
    return (side === 'client' ? [request, response, response.socket] : met).map(seen)
  }

  it.each(['client', 'server'] as const)('keeps nothing of it at a %s', async (side) => {
    expect(await begun(side, true)).toEqual(await begun(side, false))
  })
})

describe('responses to pipelined requests', () => {
  it('are each affected on their own', async () => {
    const { server, origin } = await serve((request, response) => {
      setTimeout(() => response.end(`${request.url};`), request.url === '/1' ? 20 : 0)
    })
    const injection = await inject(hangResponses({ afterBytes: 1 }), server, { only: 'GET /1' })
    const socket = net.connect(Number(new URL(origin).port), '127.0.0.1')
    let got = ''
    socket.on('data', (bytes) => (got += String(bytes)))
    socket.write('GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n')
    await vi.waitFor(() => expect(got).toMatch(/\r\n\r\n\/$/))
    await injection.rollback()
    await vi.waitFor(() => expect(got).toMatch(/\/1;HTTP\/1\.1 200 OK[^]*\/2;$/))
    socket.destroy()
  })
})

describe('a connection that is upgraded under a fault', () => {
  it.each(['101 Switching Protocols', 'CONNECT'])('passes bytes as they come: %s', async (way) => {
    const server = http.createServer()
    const onUpgrade = (_request: http.IncomingMessage, socket: Duplex): void => {
      const status = way === 'CONNECT' ? '200 Connection established' : `${way}\r\nupgrade: echo\r\nconnection: upgrade`
      socket.write(`HTTP/1.1 ${status}\r\n\r\n`)
      socket.pipe(socket)
    }
    server.on('upgrade', onUpgrade).on('connect', onUpgrade).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as net.AddressInfo
    const injection = await inject(slowResponses({ delayMs: 1 }), http)
    const request = http
      .request({
        port,
        host: '127.0.0.1',
        agent: false,
        ...(way === 'CONNECT'
          ? { method: 'CONNECT', path: 'a.test:80' }
          : { headers: { connection: 'upgrade', upgrade: 'echo' } }),
      })
      .end()
    const [, socket] = (await once(request, way === 'CONNECT' ? 'connect' : 'upgrade')) as [unknown, net.Socket]
    const { held, queued } = injection
    for (let sent = 0; sent < 20; sent += 1) {
      socket.write(`frame ${sent}`)
      expect(String(((await once(socket, 'data')) as [Buffer])[0])).toBe(`frame ${sent}`)
    }
    expect([injection.held, injection.queued]).toEqual([held, queued])
    const life = lifeOf(socket)
    socket.destroy()
    await life
    await injection.rollback()
  })
})
