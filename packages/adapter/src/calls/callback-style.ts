import { types } from 'node:util'
import { attempt, isThenable } from './answer.js'
import { parameterNames } from './parameters.js'

type Callback = (...values: readonly unknown[]) => unknown

/** A callback among the arguments of a call. */
export interface FoundCallback {
  readonly callback: Callback
  /** Whether its one parameter is the result, as in `(rows) => …`. It gets an error in that place. */
  readonly takesResult: boolean
  /** Returns the arguments with another callback in its place. */
  readonly argsWith: (callback: Callback) => unknown[]
}

/** How a method uses a function that a caller passes. */
export type FunctionUse = 'callback' | 'data'

/** Parameters of a method that are a callback, and parameters that are a function of data. */
const CALLBACK_NAME = /^_*(?:cb|callback|done|next|node_?back)\d*$|(?:Callback|_cb|Cb)$/
const DATA_NAME =
  /reduc|compar|visit|iterat|predicate|filter|map|each|transform|select|sort|listener|handler|factory|worker|task|updater|test|match|score|rank|^by$|^order/i

/** The first parameter of a callback: `err`, `error`, `connectError`, `e`, `_`. Minifiers keep one letter or two. */
const ERROR_NAME = /^_*(?:e|er|ex|err|error|exception|failure|reason)?\d*$|(?:Err|Error)\d*$/
const MINIFIED_NAME = /^(?![abxyikv]$)[a-z]$/

/**
 * Returns the callback that a caller passed: the last function among the arguments, or `callback` in an object of options
 * that comes last.
 *
 * A function is a callback if the method names that parameter so, if its own first parameter is named after an error, if
 * it has two parameters or more and its names are not readable (bound or minified), or if the method returns nothing.
 * Others, such as reducers, are data of a method that makes promises, and so is any function given to an `async` method.
 *
 * @param method The method, whose source tells.
 * @param use How the method uses functions, if that is known. Any function is then a callback, or none without a name.
 * @returns `undefined` if there is none, and `unclear` if a function may be a callback or data.
 */
export function callbackIn(
  args: readonly unknown[],
  method: unknown,
  use: FunctionUse | undefined,
): FoundCallback | 'unclear' | undefined {
  try {
    const last = args.at(-1)
    if (typeof last === 'object' && last !== null && 'callback' in last) return callbackInOptions(args, last)
    let at = args.length - 1
    while (at >= 0 && typeof args[at] !== 'function') at -= 1
    if (at < 0) return undefined
    const found = args[at] as Callback
    const style = use === 'callback' ? use : styleOf(found, method, at)
    if (style === 'unclear') return use === undefined ? style : undefined
    if (style === 'data') return undefined
    return { ...described(found), argsWith: (callback) => args.map((arg, index) => (index === at ? callback : arg)) }
  } catch {
    // A revoked proxy throws when it is read.
    return undefined
  }
}

function described(callback: Callback): Pick<FoundCallback, 'callback' | 'takesResult'> {
  const [first] = parameterNames(callback) ?? []
  return { callback, takesResult: callback.length === 1 && first !== undefined && !ERROR_NAME.test(first) }
}

function callbackInOptions(args: readonly unknown[], options: object): FoundCallback | undefined {
  const own = Object.getOwnPropertyDescriptor(options, 'callback')
  const callback: unknown = own?.value
  if (own === undefined || typeof callback !== 'function') return undefined
  return {
    ...described(callback as Callback),
    argsWith: (value) => [...args.slice(0, -1), copyWith(options, { ...own, value })],
  }
}

/** Copies an object of options, with another callback. */
function copyWith(options: object, callback: PropertyDescriptor): object {
  const prototype = Object.getPrototypeOf(options) as object | null
  return Object.create(prototype, { ...Object.getOwnPropertyDescriptors(options), callback }) as object
}

function styleOf(passed: Callback, method: unknown, at: number): FunctionUse | 'unclear' {
  const known = typeof method === 'function' ? method : undefined
  const declared = known && parameterNames(known)?.[at]
  if (declared !== undefined && CALLBACK_NAME.test(declared)) return 'callback'
  if (declared !== undefined && DATA_NAME.test(declared)) return 'data'
  // Such a method answers with its promise, and single letters, as in `(l, r) => l - r`, say nothing.
  if (types.isAsyncFunction(known) || types.isGeneratorFunction(passed)) return 'data'
  const names = parameterNames(passed)
  const first = names?.[0]
  if (!types.isAsyncFunction(passed)) {
    if (first !== undefined && ERROR_NAME.test(first)) return 'callback'
    if (passed.length >= 2 && (names === undefined || (first !== undefined && MINIFIED_NAME.test(first))))
      return 'callback'
  }
  return useIn(known, declared)
}

/** The most characters of a method's source that are searched. */
const MAX_SOURCE = 20_000

/** What the source of a method tells about the function that it gets as a parameter. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- any method of a target
function useIn(method: Function | undefined, parameter: string | undefined): FunctionUse | 'unclear' {
  const source = method === undefined ? '' : Function.prototype.toString.call(method)
  if (source === '' || source.length > MAX_SOURCE || source.includes('[native code]')) return 'unclear'
  if (/\bPromise\b|\bawait\b|\.then\(|__awaiter|asyncToGenerator|regenerator/.test(source)) {
    // A method that asks whether it got a function answers in one way or the other.
    const isAskedFor = parameter === undefined || !/^[\w$]+$/.test(parameter) || testOf(parameter).test(source)
    return isAskedFor ? 'unclear' : 'data'
  }
  const returnsNothing = !/\breturn\b/.test(source) && !/=>\s*[^\s{]/.test(source)
  return returnsNothing ? 'callback' : 'unclear'
}

/** Matches code that tests whether a parameter is given. */
function testOf(parameter: string): RegExp {
  const name = parameter.replaceAll('$', String.raw`\$`)
  return new RegExp(
    String.raw`\btypeof\s+${name}\b|\bif\s*\(\s*${name}\b|!\s*${name}\b|\b${name}\s*(?:\?|[!=]==?|&&|\|\|)`,
  )
}

const learned = new WeakMap<object, FunctionUse>()

/** How a method uses the functions that it gets, if a call has told. */
export function learnedUse(method: unknown): FunctionUse | undefined {
  return typeof method === 'function' ? learned.get(method) : undefined
}

/** Learns from the answer of a call how a method uses the functions that it gets. All later faults know it. */
export function learnUse(method: unknown, answer: unknown): FunctionUse {
  const use = isThenable(answer) || Array.isArray(answer) ? 'data' : 'callback'
  if (typeof method === 'function') learned.set(method, use)
  return use
}

/** How a method that took a callback answered. */
export interface Outcome {
  /** What it called back with. */
  given: readonly unknown[] | undefined
  /** Whether the method answered with a promise before it called back, if it does. */
  isPromised: boolean
  /** Calls the caller back when the method does so after its promise. */
  late: (() => void) | undefined
}

/**
 * Calls a method that takes a callback.
 *
 * @param outcome Receives how the method answered.
 * @returns The first value of the callback.
 */
export function calledBack(
  call: (callback: Callback) => unknown,
  { takesResult }: Pick<FoundCallback, 'takesResult'>,
  outcome: Outcome,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let isSettled = false
    const settle = (how: () => void): void => {
      if (isSettled) return
      isSettled = true
      how()
    }
    const callback: Callback = (...given) => {
      outcome.given ??= given
      if (outcome.isPromised) outcome.late?.()
      settle(() => {
        const [error, value] = given
        if (takesResult && given.length === 1 && !types.isNativeError(error)) resolve(error)
        else if (error === null || error === undefined) resolve(value)
        // The caller gets exactly the error that the method passed to its callback.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it need not be an Error
        else reject(error)
      })
    }
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
export function tellBack(answer: Promise<unknown>, { callback, takesResult }: FoundCallback, outcome: Outcome): void {
  answer.then(
    (value) => {
      if (outcome.isPromised) {
        outcome.late = () => {
          outcome.late = undefined
          process.nextTick(callback, ...(outcome.given ?? []))
        }
        if (outcome.given !== undefined) outcome.late()
        return
      }
      const { given = [] } = outcome
      const isResult = takesResult && given.length < 2
      const told = isResult ? [value] : [null, value, ...given.slice(2)]
      // A value that the fault has not changed comes with the arguments of the method.
      const isSame = given.length > 0 && Object.is(value, isResult ? given[0] : given[1])
      process.nextTick(callback, ...(isSame ? given : told))
    },
    (error: unknown) => process.nextTick(callback, error),
  )
}
