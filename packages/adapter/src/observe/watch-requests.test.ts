import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import type net from 'node:net'
import { withFault } from '@chaos/core'
import { freePort } from '@chaos/test-servers'
import {
  Agent,
  fetch as undiciFetch,
  getGlobalDispatcher,
  MockAgent,
  Pool,
  RetryAgent,
  setGlobalDispatcher,
} from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { askings } from '../../test/http-clients.js'
import { serve } from '../../test/http.js'
import { answerRequests, hangRequests } from '../http/index.js'
import { observeCalls, type CallObservation, type ObserveCallsOptions } from './observe-calls.js'

async function observed(target: object, options?: ObserveCallsOptions): Promise<CallObservation> {
  const calls = await observeCalls(target, options)
  onTestFinished(() => calls.stop())
  return calls
}

/** A server sees no request that does not reach it, and does not know why its client has gone. */
const clients = Object.entries(askings).filter(([name]) => name !== 'a server')

/** What each call came to. */
const outcomes = ({ calls }: CallObservation): readonly unknown[] =>
  calls.map(({ operation, attempts }) => [
    operation.replace(/127\.0\.0\.1:\d+/, 'host'),
    ...attempts.map(({ ok, status, error }) => [ok, status ?? (error as { code?: string } | undefined)?.code]),
  ])

describe('observeCalls of HTTP', () => {
  describe.each(Object.entries(askings))('with %s', (name, { target, ask }) => {
    const operation = name === 'a server' ? 'GET /x' : 'GET http://host/x'

    it('sees answers, and tries that failed by their status as one call', async () => {
      const statuses = [503, 500, 200]
      const server = await serve((_request, response) => {
        response.writeHead(statuses.shift() ?? 201).end('answer')
      })
      const calls = await observed(target(server))
      for (let n = 0; n < 3; n += 1) await ask(`${server.origin}/x?y=1`)
      await ask(`${server.origin}/x?y=2`)
      await vi.waitFor(() =>
        expect(outcomes(calls)).toEqual([
          [operation, [false, 503], [false, 500], [true, 200]],
          [operation, [true, 201]],
        ]),
      )
    })

    it('sees what a fault that is injected later makes of a request', async () => {
      const server = await serve()
      const calls = await observed(target(server))
      await withFault(answerRequests({ answer: 'http/429' }), target(server), async () => {
        expect((await ask(`${server.origin}/x`)).status).toBe(429)
      })
      await vi.waitFor(() => expect(outcomes(calls)).toEqual([[operation, [false, 429]]]))
    })

    it('leaves nothing on the target, nor on a request that goes on', async () => {
      let answer = (): void => undefined
      const server = await serve((_request, response) => {
        answer = () => void response.end('late')
      })
      const calls = await observeCalls(target(server))
      const heard = ask(`${server.origin}/x`)
      await vi.waitFor(() => expect(calls.calls).toHaveLength(1))
      await vi.waitFor(() => expect(server.requests).toHaveLength(1))
      await calls.stop()
      answer()
      expect((await heard).text).toBe('late')
      expect(calls.calls[0]?.attempts[0]?.ok).toBeUndefined()
    })
  })

  describe.each(clients)('with %s, which asks', (_name, { target, ask }) => {
    it('sees that a caller has given up', async () => {
      const server = await serve()
      const calls = await observed(target(server))
      await withFault(hangRequests(), target(server), async () => {
        await expect(ask(`${server.origin}/x`, AbortSignal.timeout(20))).rejects.toThrow()
        await vi.waitFor(() => expect(calls.calls[0]?.attempts).toMatchObject([{ ok: false, isCancelled: true }]))
      })
    })

    it('sees a request that reaches nothing', async () => {
      const port = await freePort()
      const calls = await observed(target(undefined as never))
      await expect(ask(`http://127.0.0.1:${port}/x`)).rejects.toThrow()
      await vi.waitFor(() => expect(outcomes(calls)).toEqual([['GET http://host/x', [false, 'ECONNREFUSED']]]))
    })
  })

  it('sees the tries of a RetryAgent beneath it, in a pool too', async () => {
    const server = await serve((_request, response) => void response.writeHead(503).end())
    for (const isAbove of [false, true]) {
      const pool = new Pool(server.origin, { connections: 2 })
      onTestFinished(() => pool.close())
      const agent = new RetryAgent(pool, { maxRetries: 2, minTimeout: 1 })
      const calls = await observeCalls(isAbove ? agent : pool)
      await expect(agent.request({ origin: server.origin, path: '/x', method: 'GET' })).rejects.toThrow(
        'Request failed',
      )
      await calls.stop()
      expect(outcomes(calls)).toEqual([['GET http://host/x', [false, 503], [false, 503], [false, 503]]])
    }
  })

  it('reads the idempotency key of a request', async () => {
    const server = await serve((_request, response) => void response.writeHead(503).end())
    const dispatcher = new Agent()
    onTestFinished(() => dispatcher.close())
    for (const [target, post] of [
      [globalThis, (headers: Record<string, string>) => fetch(server.origin, { method: 'POST', headers })],
      [
        dispatcher,
        (headers: Record<string, string>) => undiciFetch(server.origin, { method: 'POST', headers, dispatcher }),
      ],
      [server.server, (headers: Record<string, string>) => fetch(server.origin, { method: 'POST', headers })],
      [
        http,
        async (headers: Record<string, string>) => {
          const request = http.request(server.origin, { method: 'POST', headers }).end()
          const [response] = (await once(request, 'response')) as [http.IncomingMessage]
          response.resume()
          await once(response, 'end')
        },
      ],
    ] as const) {
      const calls = await observeCalls(target)
      for (const key of ['a', 'b']) await post({ 'Idempotency-Key': key, traceparent: key })
      await vi.waitFor(() => expect(calls.account.failed).toBe(2))
      await calls.stop()
      expect(calls.retries()).toMatchObject([{ tries: 2, idempotencyKey: 'new' }])
      expect(calls.violation('unsafe-retry')).toBeUndefined()
    }
  })

  it('sees requests that a MockAgent answers', async () => {
    const mock = new MockAgent()
    mock.disableNetConnect()
    const before = getGlobalDispatcher()
    onTestFinished(() => setGlobalDispatcher(before))
    setGlobalDispatcher(mock)
    mock.get('http://service').intercept({ path: '/x' }).reply(503, 'down')
    mock.get('http://service').intercept({ path: '/x' }).reply(200, 'up')
    const calls = await observed(globalThis)
    for (let n = 0; n < 2; n += 1) await (await undiciFetch('http://service/x')).text()
    expect(outcomes(calls)).toEqual([['GET http://service/x', [false, 503], [true, 200]]])
  })

  it('sees the requests of the HTTP/2 client', async () => {
    const server = http2.createServer().listen(0, '127.0.0.1')
    const statuses = [503, 200]
    server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined)
      if (headers[':path'] === '/reset') stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
      else {
        stream.respond({ ':status': statuses.shift() ?? 204 })
        stream.end()
      }
    })
    await once(server, 'listening')
    const session = http2.connect(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`)
    onTestFinished(() => {
      session.destroy()
      server.close()
    })
    const calls = await observed(http2)
    const ask = async (path: string): Promise<void> => {
      const stream = session.request({ ':path': path }).on('error', () => undefined)
      stream.resume()
      await once(stream, 'close').catch(() => undefined)
    }
    for (const path of ['/x', '/x', '/reset']) await ask(path)
    expect(outcomes(calls)).toEqual([
      ['GET http://host/x', [false, 503], [true, 200]],
      ['GET http://host/reset', [false, 'ERR_HTTP2_STREAM_ERROR']],
    ])
  })
})
