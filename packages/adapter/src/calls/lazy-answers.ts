import { types } from 'node:util'
import type { Method } from '../operations/member-replacer.js'
import { attempt, isThenable, type AnswerChanges } from './answer.js'

/** Executes a query: at once if it passes, else as the fault answers. */
export type Execute = (proceed: () => unknown) => { readonly answer: unknown } | undefined

/** The methods that execute a query. */
const EXECUTING = ['then', 'catch', 'finally', 'exec', 'execute'] as const

/** A query of postgres.js: a promise that is settled from outside, once its `handle` has sent it. */
interface Deferred {
  executed: boolean
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
  readonly handle: () => unknown
}

/**
 * Lets a fault act on a query when it is executed, not when it is built. The query stays the object that the library
 * made, with its own methods. A value that is no such query stays as it is: a promise has begun already.
 *
 * @param query What the method returned.
 */
export function actWhenExecuted(query: unknown, execute: Execute, changes: AnswerChanges): void {
  if (!isThenable(query) || Object.getPrototypeOf(query) === Promise.prototype) return
  if (isDeferred(query)) whenHandled(query, execute, changes)
  else whenAwaited(query, execute, changes)
}

function isDeferred(query: object): query is Deferred {
  return (
    'executed' in query &&
    'handle' in query &&
    typeof query.handle === 'function' &&
    'resolve' in query &&
    typeof query.resolve === 'function' &&
    'reject' in query &&
    typeof query.reject === 'function'
  )
}

/** Every method of such a query, its cursor included, executes it by `handle`. */
function whenHandled(query: Deferred, execute: Execute, { isOver, replaceMember }: AnswerChanges): void {
  replaceMember(query, 'handle', (original, restore) => () => {
    const send = (): unknown => Reflect.apply(original as Method, query, [])
    if (query.executed || isOver()) return send()
    restore()
    const { resolve, reject } = query
    const proceed = (): Promise<unknown> =>
      new Promise((resolveIt, rejectIt) => {
        query.resolve = resolveIt
        query.reject = rejectIt
        query.executed = false
        send()
      })
    // A query that is executed is not sent again by its next `then`.
    query.executed = true
    const hit = execute(proceed)
    if (hit === undefined) {
      query.executed = false
      return send()
    }
    const settleBy = (how: () => void): void => {
      query.resolve = resolve
      query.reject = reject
      how()
    }
    Promise.resolve(hit.answer).then(
      (value) => settleBy(() => resolve(value)),
      (error: unknown) => settleBy(() => reject(error)),
    )
    return undefined
  })
}

function whenAwaited(query: object, execute: Execute, { isOver, replaceMember }: AnswerChanges): void {
  let isInside = false
  let settled: { readonly answer: unknown } | undefined
  const inside = (call: () => unknown): unknown => {
    isInside = true
    try {
      return call()
    } finally {
      isInside = false
    }
  }
  for (const name of EXECUTING) {
    if (typeof Reflect.get(query, name) !== 'function') continue
    replaceMember(query, name, (original) => (...args) => {
      const run = (...given: unknown[]): unknown => inside(() => Reflect.apply(original as Method, query, given))
      if (isInside || isOver()) return run(...args)
      const runOnce = (): unknown =>
        name === 'then' || name === 'catch' || name === 'finally'
          ? new Promise((resolve, reject) => void inside(() => (query as Promise<unknown>).then(resolve, reject)))
          : run(...args)
      const hit = settled ?? execute(runOnce)
      if (hit === undefined) return run(...args)
      // A promise has one outcome. Other queries are executed by each `then`.
      if (types.isPromise(query)) settled = hit
      const answer = attempt(() => hit.answer)
      return name === 'then' || name === 'catch' || name === 'finally'
        ? Reflect.apply(Reflect.get(answer, name) as Method, answer, args)
        : answer
    })
  }
}
