import { ChaosError } from '../basics/errors.js'

/**
 * Whether a value is a function that can be asked for something, and no class: calling a class without `new` throws.
 * A class is recognised by its `prototype`, which cannot be replaced.
 */
export function isGetter(value: unknown): value is () => unknown {
  return typeof value === 'function' && Reflect.getOwnPropertyDescriptor(value, 'prototype')?.writable !== false
}

/** What V8 says of a class that is called without `new`. A bound class is recognised by nothing else. */
const NEEDS_NEW = /cannot be invoked without 'new'|requires 'new'/

/**
 * Returns a target, or what it returns if it is a function.
 *
 * @param what What the function should return, for messages: `the current workers`.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the function is a class, or returns a promise; an error of the function.
 */
export function askedOf(target: unknown, what: string): unknown {
  if (typeof target !== 'function') return target
  if (!isGetter(target)) throw classGiven(what)
  const answer = answerOf(target, what)
  if (!isThenable(answer)) return answer
  answer.then(undefined, () => undefined)
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected the function to return ${what}, got a promise. Pass a function that is not \`async\`.`,
  )
}

function answerOf(target: () => unknown, what: string): unknown {
  try {
    return target()
  } catch (error) {
    if (error instanceof TypeError && NEEDS_NEW.test(error.message)) throw classGiven(what, error)
    throw error
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

const classGiven = (what: string, cause?: unknown): ChaosError =>
  new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected a function that returns ${what}, got a class. Pass an instance, or a function that returns the instances.`,
    { cause },
  )
