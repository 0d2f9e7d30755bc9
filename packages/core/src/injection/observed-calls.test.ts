import { expect, it, onTestFinished } from 'vitest'
import { defineFault } from '../fault/define-fault.js'
import { withScope } from '../scopes/scope.js'
import { inject } from './inject.js'

const pass = defineFault({
  name: 'test/swallow',
  kind: 'standing',
  summary: 'Swallows calls.',
  target: { expects: 'an object', accepts: () => true },
  inject(target: object, _options, context) {
    for (const name of Object.keys(target))
      context.patch(target, name, (below) => {
        const operation = context.operation(name)
        return (...args: unknown[]): unknown =>
          operation.shouldInject(args) ? undefined : (Reflect.apply(below.call, target, args) as unknown)
      })
  },
})

async function observing(target: object, rate: number) {
  const injection = await inject(pass(), target, { rate, observe: true })
  onTestFinished(() => injection.rollback().then(() => undefined))
  return injection
}

it('counts the calls that an injection sees, by operation and scope, also those that pass', async () => {
  const store = { get: () => 1, put: () => 2 }
  const injection = await observing(store, 0)
  expect(store.put()).toBe(2)
  withScope('job', () => store.get())
  withScope('job', () => store.get())
  expect((await injection.rollback()).observed).toEqual({
    calls: [
      { operation: 'put', seen: 1, affected: 0 },
      { operation: 'get', scope: expect.stringMatching(/^job/) as string, seen: 1, affected: 0 },
      { operation: 'get', scope: expect.stringMatching(/^job/) as string, seen: 1, affected: 0 },
    ],
    unlisted: 0,
  })
})

it('counts what is affected, and calls the observers that were given', async () => {
  const store = { get: () => 1 }
  const seen: unknown[] = []
  const injection = await inject(pass(), store, { limit: 1, observe: true, onSeen: ({ call }) => seen.push(call) })
  onTestFinished(() => injection.rollback().then(() => undefined))
  store.get()
  expect(injection.observed?.calls).toEqual([{ operation: 'get', seen: 1, affected: 1 }])
  expect(seen).toEqual([1])
})

it('lists a bounded number of operations, and counts the calls of the others', async () => {
  const store = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`call${n}`, () => n]))
  const injection = await observing(store, 0)
  for (const call of Object.values(store)) call()
  expect(injection.observed?.calls).toHaveLength(1_000)
  expect(injection.observed?.unlisted).toBe(1)
})

it('has no such counts unless they are asked for', async () => {
  const injection = await inject(pass(), { get: () => 1 }, { rate: 0 })
  onTestFinished(() => injection.rollback().then(() => undefined))
  expect(injection.snapshot()).not.toHaveProperty('observed')
})
