import { types } from 'node:util'
import { attempt, isThenable } from './answer.js'
import { parameterNames } from './parameters.js'

type Callback = (error: unknown, ...values: readonly unknown[]) => unknown

/** A callback among the arguments of a call. */
export interface FoundCallback {
  readonly callback: Callback
  /** Returns the arguments with another callback in its place. */
  readonly argsWith: (callback: Callback) => unknown[]
}

/** Parameters of a method that are a callback, and parameters that are a function of data. */
const CALLBACK_NAME = /^_*(?:cb|callback|done|next|node_?back)\d*$|(?:Callback|_cb|Cb)$/
const DATA_NAME =
  /reduc|compar|visit|iterat|predicate|filter|map|each|transform|select|sort|listener|handler|factory|worker|task|updater|test|match|score|rank|^by$|^order/i

/** The first parameter of a callback: `err`, `error`, `connectError`, `e`, `_`. Minifiers keep one letter or two. */
const ERROR_NAME = /^_*(?:e|er|ex|err|error|exception|failure|reason)?\d*$|(?:Err|Error)\d*$/
const MINIFIED_NAME = /^(?![abxyikv]$)[a-z]$/

/**
 * Returns the callback that a caller passed: the last argument, or `callback` in an object of options that comes last.
 *
 * A function is a callback if the method names that parameter so, if its own first parameter is named after an error,
 * or if it has two parameters or more and its names are not readable (bound or minified). Others, such as reducers and
 * `async` functions, are data of the method, and so is a function given to an `async` method.
 *
 * @param method The method, whose parameter names tell.
 * @param isCertain Whether the method is known to take a callback, so that any function is one.
 */
export function callbackIn(args: readonly unknown[], method: unknown, isCertain: boolean): FoundCallback | undefined {
  const at = args.length - 1
  const last = args[at]
  try {
    if (typeof last === 'function')
      return isCertain || isCallback(last, method, at)
        ? { callback: last as Callback, argsWith: (callback) => [...args.slice(0, at), callback] }
        : undefined
    if (typeof last !== 'object' || last === null || Array.isArray(last)) return undefined
    const own = Object.getOwnPropertyDescriptor(last, 'callback')
    const callback: unknown = own?.value
    if (own === undefined || typeof callback !== 'function' || types.isAsyncFunction(callback)) return undefined
    return {
      callback: callback as Callback,
      argsWith: (value) => [...args.slice(0, at), copyWith(last, { ...own, value })],
    }
  } catch {
    // A revoked proxy throws when it is read.
    return undefined
  }
}

/** Copies an object of options, with another callback. */
function copyWith(options: object, callback: PropertyDescriptor): object {
  const prototype = Object.getPrototypeOf(options) as object | null
  return Object.create(prototype, { ...Object.getOwnPropertyDescriptors(options), callback }) as object
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- any function that a caller passed
function isCallback(last: Function, method: unknown, at: number): boolean {
  if (types.isAsyncFunction(last) || types.isGeneratorFunction(last)) return false
  const declared = typeof method === 'function' ? parameterNames(method)?.[at] : undefined
  if (declared !== undefined && CALLBACK_NAME.test(declared)) return true
  if (declared !== undefined && DATA_NAME.test(declared)) return false
  // Such a method answers with its promise, and single letters, as in `(l, r) => l - r`, say nothing.
  if (types.isAsyncFunction(method)) return false
  const names = parameterNames(last)
  const first = names?.[0]
  if (first !== undefined && ERROR_NAME.test(first)) return true
  return last.length >= 2 && (names === undefined || (first !== undefined && MINIFIED_NAME.test(first)))
}

/** The outcome of a method that took a callback. */
export interface Outcome {
  /** The values after the first. */
  readonly more: unknown[]
  /** Whether the method answered with a promise and has not called back. */
  isPromised: boolean
}

/**
 * Calls a method that takes a callback.
 *
 * @param outcome Receives how the method answered.
 * @returns The first value of the callback.
 */
export function calledBack(call: (callback: Callback) => unknown, outcome: Outcome): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let isSettled = false
    const settle = (how: () => void): void => {
      if (isSettled) return
      isSettled = true
      how()
    }
    const callback: Callback = (error, value, ...others) =>
      settle(() => {
        outcome.more.splice(0, outcome.more.length, ...others)
        if (error === null || error === undefined) resolve(value)
        // The caller gets exactly the error that the method passed to its callback.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it need not be an Error
        else reject(error)
      })
    const answered = attempt(() => {
      const result = call(callback)
      // Some methods call back and also answer with a promise, and either may come first.
      return isThenable(result) ? result.then((value) => ({ value })) : undefined
    })
    answered.then(
      (result) => {
        if (result === undefined) return
        // A method that does both calls back in the same turn.
        setImmediate(settle, () => {
          outcome.isPromised = true
          resolve((result as { readonly value: unknown }).value)
        })
      },
      (error: unknown) =>
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the method's own error
        settle(() => reject(error)),
    )
  })
}

/**
 * Calls the callback of a caller outside of every promise, so that an error it throws is an uncaught exception of the
 * application, and in the asynchronous context of the call.
 */
export function tellBack(answer: Promise<unknown>, callback: Callback, outcome: Outcome): void {
  answer.then(
    (value) => {
      if (!outcome.isPromised) process.nextTick(callback, null, value, ...outcome.more)
    },
    (error: unknown) => process.nextTick(callback, error),
  )
}
