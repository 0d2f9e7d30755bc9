import { createContext, runInContext } from 'node:vm'
import { expect, it } from 'vitest'
import { injectedBy, markInjected } from './injected-errors.js'

const FAULT = 'test/fail-calls'

it('recognizes an error of another realm', () => {
  const realm = createContext({})
  const error = runInContext("new TypeError('refused')", realm) as Error
  expect(error).not.toBeInstanceOf(Error)
  expect(injectedBy(error)).toBeUndefined()
  expect(injectedBy(markInjected(error, FAULT))).toBe(FAULT)
})

it('recognizes an error that wraps an injected one, as its cause or among its errors', () => {
  const injected = markInjected(new Error('refused'), FAULT)
  const failed = new TypeError('fetch failed', { cause: injected })
  expect(injectedBy(failed)).toBe(FAULT)
  expect(injectedBy(new Error('no answer', { cause: new AggregateError([new Error('real'), failed]) }))).toBe(FAULT)
  expect(injectedBy(new Error('real', { cause: new AggregateError([new Error('real')]) }))).toBeUndefined()
})

it.each([
  [
    'a cause that is its own error',
    () => {
      const error = new Error('round')
      return Object.assign(error, { cause: error })
    },
  ],
  ['a getter that throws', () => Object.defineProperty({}, 'cause', { get: () => expect.fail('no cause') })],
  [
    'a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    },
  ],
  ['a text', () => 'refused'],
])('answers for %s', (_what, make) => {
  expect(injectedBy(make())).toBeUndefined()
})
