import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { Agent, RetryAgent, fetch as undiciFetch, request } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { askings, saidBy } from '../../../test/http-clients.js'
import { serve } from '../../../test/http.js'
import { httpAnswerNames, httpAnswers } from '../../errors/http.js'
import { answerRequests } from './answer-requests.js'

describe.each(Object.entries(askings))('answerRequests, with %s', (_name, { target, ask }) => {
  it('answers as a real service does, which is not asked, and only those that are chosen', async () => {
    const { statusCode, statusText, headers } = httpAnswers['http/429'](2_500)
    const real = await serve(
      (_request, response) =>
        void response
          .writeHead(statusCode, statusText, {
            ...headers,
            'content-type': 'text/plain; charset=utf-8',
            'content-length': 9,
          })
          .end('slow down'),
    )
    const expected = await ask(`${real.origin}/items`)
    const healthy = await serve()
    await withFault(
      answerRequests({ answer: 'http/429', retryAfterMs: 2_500, body: 'slow down' }),
      target(healthy),
      { only: 'GET */items' },
      async (injection) => {
        for (let time = 1; time <= 2; time += 1) {
          const heard = await ask(`${healthy.origin}/items?time=${time}`)
          expect([heard.status, saidBy(heard), heard.text]).toEqual([429, saidBy(expected), 'slow down'])
        }
        expect((await ask(`${healthy.origin}/other`)).text).toBe('answer')
        expect([injection.seen, injection.affected]).toEqual([2, 2])
      },
    )
    expect((await ask(`${healthy.origin}/items`)).text).toBe('answer')
  })
})

describe('answerRequests', () => {
  /** Everything that a caller of fetch can see of an answer, but what tells of the connection. */
  async function seen(response: Response): Promise<unknown> {
    const headers = Object.fromEntries(
      [...response.headers].filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name)),
    )
    return {
      status: response.status,
      statusText: response.statusText,
      ok: response.ok,
      type: response.type,
      redirected: response.redirected,
      headers,
      body: await response.text(),
    }
  }

  it.each(httpAnswerNames)('answers %s as a real service does', async (answer) => {
    const { statusCode, statusText, headers } = httpAnswers[answer](2_500)
    const { origin } = await serve(
      (_request, response) =>
        void response
          .writeHead(statusCode, statusText, {
            ...headers,
            'content-type': 'text/plain; charset=utf-8',
            'content-length': Buffer.byteLength(statusText),
          })
          .end(statusText),
    )
    const real = await seen(await fetch(origin))
    const healthy = await serve()
    const injected = await withFault(answerRequests({ answer, retryAfterMs: 2_500 }), globalThis, async () =>
      seen(await fetch(healthy.origin)),
    )
    expect(injected).toEqual(real)
    expect(healthy.requests).toEqual([])
    expect(await (await fetch(healthy.origin)).text()).toBe('answer')
  })

  it('answers those that `only` names, also where fetch was captured before', async () => {
    const { origin, requests } = await serve()
    const { fetch: captured } = globalThis
    await withFault(
      answerRequests({ body: 'sorry' }),
      globalThis,
      { only: `GET ${origin}/items` },
      async (injection) => {
        expect(await (await captured(`${origin}/items?page=2`)).text()).toBe('sorry')
        expect(await (await captured(`${origin}/items`, { method: 'POST', body: '{}' })).text()).toBe('answer')
        expect(await (await captured(`${origin}/other`)).text()).toBe('answer')
        expect([injection.seen, injection.affected]).toEqual([1, 1])
      },
    )
    expect(requests).toEqual(['POST /items', 'GET /other'])
  })

  it('answers callers of an agent, by request and by fetch of undici', async () => {
    const [agent, { origin }] = [new Agent(), await serve()]
    onTestFinished(() => agent.close())
    await withFault(answerRequests({ answer: 'http/429' }), agent, async () => {
      const { statusCode, headers, body } = await request(origin, { dispatcher: agent })
      expect([statusCode, headers['retry-after'], await body.text()]).toEqual([429, '1', 'Too Many Requests'])
      expect((await undiciFetch(origin, { dispatcher: agent })).status).toBe(429)
    })
  })

  it('makes RetryAgent try again, as a real 503 does', async () => {
    const agent = new Agent()
    const retrying = new RetryAgent(agent, { minTimeout: 1, timeoutFactor: 1 })
    onTestFinished(() => retrying.close())
    const outcome = async (origin: string): Promise<readonly unknown[]> => {
      const { statusCode, body } = await retrying.request({ origin, path: '/', method: 'GET' })
      return [statusCode, await body.text()]
    }
    const failing = await serve((_request, response) => {
      if (failing.requests.length === 1) response.writeHead(503, { 'retry-after': '0' }).end()
      else response.end('answer')
    })
    expect(await outcome(failing.origin)).toEqual([200, 'answer'])
    const healthy = await serve()
    const injection = await inject(answerRequests({ retryAfterMs: 0 }), agent, { limit: 1 })
    expect(await outcome(healthy.origin)).toEqual([200, 'answer'])
    expect([injection.affected, failing.requests.length, healthy.requests.length]).toEqual([1, 2, 1])
  })

  it("gives up with the reason of the caller's own signal, at once, and never answers then", async () => {
    const { origin, requests } = await serve()
    await withFault(answerRequests({ afterMs: 60_000 }), globalThis, async (injection) => {
      const controller = new AbortController()
      const waiting = fetch(origin, { signal: controller.signal }).catch((error: unknown) => error)
      await vi.waitFor(() => expect(injection.held).toBe(1))
      const reason = new Error('enough')
      controller.abort(reason)
      expect(await waiting).toBe(reason)
      expect(injection.held).toBe(0)
    })
    expect(requests).toEqual([])
  })

  it('answers when the time is up, or the fault ends', async () => {
    const { origin } = await serve()
    const clock = manualClock()
    const injection = await inject(answerRequests({ afterMs: 500 }), globalThis, { clock })
    const [first, answered] = [fetch(origin), vi.fn()]
    void first.then(answered)
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await clock.advance(499)
    expect(answered).not.toHaveBeenCalled()
    await clock.advance(1)
    expect((await first).status).toBe(503)
    const second = fetch(origin)
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await injection.rollback()
    expect((await second).status).toBe(503)
  })

  it('closes a request of node:http behind its response, as a real service does', async () => {
    const agent = new http.Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    const { origin } = await serve((_request, response) => void response.writeHead(503).end('busy'))
    const lifeOf = async (): Promise<readonly string[]> => {
      const life: string[] = []
      const request = http.get(origin, { agent })
      const closed = once(request, 'close')
      for (const event of ['finish', 'response', 'error', 'close'])
        request.on(event, () => life.push(`request ${event}`))
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      for (const event of ['end', 'error', 'close']) response.on(event, () => life.push(`response ${event}`))
      await Promise.all([text(response), closed, once(response, 'close')])
      return life
    }
    const real = await lifeOf()
    expect(await withFault(answerRequests(), agent, lifeOf)).toEqual(real)
    expect(real).toContain('request close')
  })
})
