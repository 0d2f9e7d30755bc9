import http from 'node:http'
import { inject } from '@chaos/core'
import { Agent } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { answerRequests } from '../http/faults/answer-requests.js'
import { corruptResults } from './faults/corrupt-results.js'
import { corruptResponses } from '../http/faults/corrupt-responses.js'
import { delayCalls } from './faults/delay-calls.js'
import { delayRequests } from '../http/faults/delay-requests.js'
import { hangCalls } from './faults/hang-calls.js'
import { refuseCalls } from './faults/refuse-calls.js'
import { serveStaleReads } from './faults/serve-stale-reads.js'
import { slowResponses } from '../http/faults/slow-responses.js'

class Store {
  get(_key: unknown): Promise<unknown> {
    return Promise.resolve('value')
  }
  echo(value: unknown): Promise<unknown> {
    return Promise.resolve(value)
  }
}

const thrower = (): never => {
  throw new Error('of the application')
}

/** What throws when it is looked at. */
function unreadable(): readonly unknown[] {
  const object = Proxy.revocable({}, {})
  const callback = Proxy.revocable(() => undefined, {})
  for (const { revoke } of [object, callback]) revoke()
  return [
    object.proxy,
    callback.proxy,
    new Proxy({}, { has: thrower, get: thrower }),
    Object.defineProperty({}, 'signal', { get: thrower }),
    Object.defineProperty({}, 'sql', { get: thrower }),
    { toString: thrower },
    { [Symbol.for('nodejs.util.inspect.custom')]: thrower },
    Object.create(null),
    Symbol('x'),
    1n,
  ]
}

describe('arguments that throw when they are looked at', () => {
  it.each([
    ['delayCalls', () => delayCalls({ delayMs: 60_000, methods: 'get' })],
    ['hangCalls', () => hangCalls({ methods: 'get' })],
    ['serveStaleReads', () => serveStaleReads({ methods: 'get' })],
  ])('are no reason for a call under %s to fail', async (_name, fault) => {
    for (const argument of unreadable()) {
      const store = new Store()
      const injection = await inject(fault(), store)
      const call = store.get(argument)
      await injection.rollback()
      expect(await call).toBe('value')
      expect(injection.affected).toBe(1)
    }
  })

  it.each(['redis/readonly', 'redis/moved', 'mysql/deadlock', 'postgres/deadlock', 'fs/enoent'] as const)(
    'leave the error of %s what it is',
    async (error) => {
      const store = new Store()
      const injection = await inject(refuseCalls({ error, methods: 'get' }), store)
      onTestFinished(() => injection.rollback().then(() => undefined))
      const expected = await store.get('a').catch((refused: unknown) => refused)
      for (const argument of unreadable()) {
        const refused: unknown = await store.get(argument).catch((caught: unknown) => caught)
        expect((refused as Error).constructor).toBe((expected as Error).constructor)
        expect((refused as { code?: unknown }).code).toBe((expected as { code?: unknown }).code)
      }
    },
  )
})

it('keeps a call in hand whose `signal` takes no listener out, and ends all the same', async () => {
  const store = new Store()
  const injection = await inject(hangCalls({ methods: 'get' }), store)
  const call = store.get({ signal: { aborted: false, addEventListener: vi.fn() } })
  await injection.rollback()
  expect(injection.status).toBe('ended')
  await call
})

it('copies an answer that contains itself', async () => {
  const store = new Store()
  const injection = await inject(serveStaleReads({ methods: 'echo' }), store)
  onTestFinished(() => injection.rollback().then(() => undefined))
  const row: { id: number; self?: unknown; list: unknown[] } = {
    id: 1,
    list: Object.assign(new Array<unknown>(3), { 0: 1, 2: 3 }),
  }
  row.self = row
  const copy = (await store.echo(row)) as typeof row
  expect(copy).not.toBe(row)
  expect(copy.self).toBe(copy)
  expect(copy.list).toEqual(row.list)
})

describe('what undici itself refuses, or whose handler is frozen', () => {
  const options = { origin: 'http://127.0.0.1:1', path: '/', method: 'GET' } as const
  const none = (): boolean => true
  const frozen = Object.freeze({
    onRequestStart: none,
    onResponseStart: none,
    onResponseData: none,
    onResponseEnd: none,
    onResponseError: none,
    onConnect: none,
    onHeaders: none,
    onData: none,
    onComplete: none,
    onError: none,
  })
  const outcome = (agent: Agent, given: readonly unknown[]): unknown => {
    try {
      return Reflect.apply(agent.dispatch, agent, given)
    } catch (error) {
      return (error as Error).message
    }
  }

  it.each([
    ['delayRequests', () => delayRequests({ delayMs: 0 })],
    ['corruptResponses', () => corruptResponses()],
    ['slowResponses', () => slowResponses({ delayMs: 0 })],
  ])('is under %s what it is in health', async (_name, fault) => {
    const agent = new Agent()
    onTestFinished(() => agent.close())
    for (const given of [
      [{ ...options, path: undefined }, {}],
      [undefined, {}],
      [{ ...options, origin: Object.create(null) as string }, {}],
      [options, undefined],
      [options, frozen],
    ]) {
      const expected = outcome(agent, given)
      const injection = await inject(fault(), agent)
      expect(outcome(agent, given)).toEqual(expected)
      await injection.rollback()
    }
  })
})

it('refuses a content type that no header can hold, which would end the app with its first request', () => {
  for (const contentType of ['text/plain\r\nx: y', 'text/plain\u0000', '€'])
    expect(() => answerRequests({ contentType })).toThrow('`contentType`')
})

it('lets requests pass whose path is no text, which Node.js takes', async () => {
  for (const fault of [delayRequests({ delayMs: 0 }), slowResponses({ delayMs: 0 })]) {
    const injection = await inject(fault, http, { only: 'GET http://elsewhere/*' })
    const request = http.request({ host: '127.0.0.1', port: 1, path: 5 as unknown as string })
    request.on('error', () => undefined).destroy()
    await injection.rollback()
  }
})

it.each(['iterator', 'async-iterator', 'stream', 'web-stream'] as const)(
  'leaves an answer alone that is no %s',
  async (answers) => {
    const locked = new ReadableStream()
    locked.getReader()
    for (const answer of [undefined, null, 5, Object.freeze({}), Object.freeze([1][Symbol.iterator]()), locked]) {
      const store = { scan: (): unknown => answer }
      const injection = await inject(corruptResults({ methods: 'scan', answers }), store)
      const got = store.scan()
      await injection.rollback()
      // An iterator is one of its kind, frozen or not, where it need not be changed.
      if (got !== answer) expect(got).toHaveProperty('next')
    }
  },
)
