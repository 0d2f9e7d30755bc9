import { describe, expect, it } from 'vitest'
import type { Attempt } from './attempt.js'
import { failedAlike, isFinalFailure, mayHaveHappened, reasonOf, tells } from './failures.js'

const attempt = (outcome: Partial<Attempt>): Attempt => ({
  at: 0,
  endedAt: 1,
  ok: false,
  result: undefined,
  error: undefined,
  status: undefined,
  gapMs: undefined,
  idempotencyKey: undefined,
  isCancelled: false,
  isTooLate: false,
  ...outcome,
})
const error = (fields: object, cause?: unknown): Error => Object.assign(new Error('lost', { cause }), fields)
const unreadable = Proxy.revocable({}, {})
unreadable.revoke()

describe('a failed attempt', () => {
  it.each([
    [{ status: 400 }, true],
    [{ status: 404 }, true],
    [{ status: 408 }, false],
    [{ status: 429 }, false],
    [{ status: 503 }, false],
    [{ status: 422, error: error({ code: 'UND_ERR_REQ_RETRY' }) }, true],
    [{ error: error({ code: 'EACCES' }) }, true],
    [{ error: error({ code: '23505' }) }, true],
    [{ error: error({ code: '40001' }) }, false],
    [{ error: error({ name: 'ReplyError', message: 'WRONGTYPE Operation against a key' }) }, true],
    [{ error: error({ name: 'ReplyError', message: 'LOADING Redis is loading' }) }, false],
    [{ error: new RangeError('negative') }, true],
    [{ error: new TypeError('fetch failed', { cause: error({ code: 'ECONNREFUSED' }) }) }, false],
    [{ error: new TypeError('x is not a function') }, true],
    [{ error: new RangeError('negative'), isCancelled: true }, false],
    [{ error: error({ code: 'ECONNRESET' }) }, false],
    [{ error: 'a string' }, false],
  ])('%o is final: %s', (outcome, isFinal) => {
    expect(isFinalFailure(attempt(outcome))).toBe(isFinal)
  })

  it.each([
    [{ status: 503 }, false],
    [{ status: 429 }, false],
    [{ status: 504 }, true],
    [{ error: error({ code: 'ECONNRESET' }) }, true],
    [{ error: new TypeError('fetch failed', { cause: error({ code: 'ECONNREFUSED' }) }) }, false],
    [{ error: new AggregateError([error({ code: 'ECONNREFUSED' })]) }, false],
    [{}, true],
  ])('%o may have taken effect: %s', (outcome, may) => {
    expect(mayHaveHappened(attempt(outcome))).toBe(may)
  })

  it.each([
    [{ status: 504 }, 'status 504'],
    [{ error: error({ code: 'ECONNRESET' }) }, 'ECONNRESET: lost'],
    [{ error: error({ message: 'x\u001b[2J' }) }, 'Error: x\\u001b[2J'],
    [{}, 'a lost connection'],
    [{ ok: undefined }, 'no answer'],
  ])('%o is told as "%s"', (outcome, reason) => {
    expect(reasonOf(attempt(outcome))).toBe(reason)
  })
})

it('may fail with an error that cannot be read', () => {
  const unread = attempt({ error: unreadable.proxy })
  expect([isFinalFailure(unread), mayHaveHappened(unread), reasonOf(unread)]).toEqual([
    false,
    true,
    'an unreadable value',
  ])
})

describe('what a caller is told', () => {
  const refused = attempt({ error: error({ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' }) })

  it('tells the reason by the error itself, its cause, its code, its message or its status', () => {
    for (const told of [
      refused.error,
      error({}, refused.error),
      new AggregateError([new Error('other'), refused.error]),
      error({ code: 'ECONNREFUSED' }),
      new Error('The bank is away: connect ECONNREFUSED'),
    ])
      expect(tells(told, refused)).toBe(true)
    for (const told of [error({ status: 503 }), error({ statusCode: 503 }), new Error('HTTP 503')])
      expect(tells(told, attempt({ status: 503 }))).toBe(true)
  })

  it('does not by anything else', () => {
    for (const told of [new Error('The bank is closed'), unreadable.proxy, undefined, 'closed'])
      expect([tells(told, refused), tells(told, attempt({ status: 503 }))]).toEqual([false, false])
  })

  it('is read to a bounded depth, in circles too', () => {
    const circle = error({})
    circle.cause = circle
    expect(tells(circle, refused)).toBe(false)
    let deep: unknown = refused.error
    for (let n = 0; n < 100; n += 1) deep = error({}, deep)
    expect(tells(deep, refused)).toBe(false)
  })
})

it('knows the same reason again', () => {
  const refused = { error: error({ code: 'ECONNREFUSED' }) }
  expect(failedAlike(attempt(refused), attempt({ error: error({ code: 'ECONNREFUSED' }) }))).toBe(true)
  expect(failedAlike(attempt(refused), attempt({ error: error({ code: 'ECONNRESET' }) }))).toBe(false)
  expect(failedAlike(attempt({ status: 503 }), attempt({ status: 503 }))).toBe(true)
  expect(failedAlike(attempt({ status: 503 }), attempt({ status: 500 }))).toBe(false)
  expect(failedAlike(attempt({ status: 503 }), attempt(refused))).toBe(false)
})
