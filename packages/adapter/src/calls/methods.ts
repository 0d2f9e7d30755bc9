import { ChaosError } from '@chaos/core'
import { type AnyFunction, globMatcher, listed, originalOf, type TargetKind, unknownName } from '@chaos/core/authoring'
import type { AnswerKind } from './answers.js'
import { isCommandTarget } from './commands.js'

/**
 * A target of call faults: an object, a class (all of its instances), a function made by {@link breakable}, or a bound
 * client of a driver.
 */
export type MethodTarget = object

/** A method or a getter that a fault affects. */
export interface Member {
  readonly name: string
  readonly isGetter: boolean
  readonly answers: AnswerKind
}

/** The key of the object whose method a breakable function calls. All copies of this package in a process share it. */
const HOLDER = Symbol.for('@chaos/adapter.holder')

/**
 * Makes a function that faults can break. Pass it on in place of `fn`: a bare function has no property that a fault
 * could patch. While no fault is in force, the cost is one extra call.
 *
 * @returns A function with the name, arity, own keys, prototype and `this` of `fn`. Its operation has the name of `fn`,
 *   or `call` if `fn` has none.
 */
export function breakable<F extends AnyFunction>(fn: F): F {
  const name = fn.name === '' ? 'call' : fn.name
  const holder: Record<string, AnyFunction> = { [name]: fn }
  const standIn = function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(holder[name] as F, this, args)
  }
  Object.setPrototypeOf(standIn, Object.getPrototypeOf(fn) as object)
  for (const key of Reflect.ownKeys(fn)) {
    if (key !== 'prototype')
      Object.defineProperty(standIn, key, Object.getOwnPropertyDescriptor(fn, key) as PropertyDescriptor)
  }
  return Object.defineProperty(standIn, HOLDER, { value: holder }) as unknown as F
}

/** Returns whether a value has methods to break. */
function isMethodTarget(value: unknown): value is MethodTarget {
  if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return false
  if (isCommandTarget(value)) return true
  const place = placeOf(value)
  return typeof place === 'object' && place !== null && membersOf(place).size > 0
}

/** The kind of target that call faults accept. */
export const methodTarget: TargetKind<MethodTarget> = {
  expects: 'an object or a class with methods, a function made by `breakable`, or a bound client of a driver',
  accepts: isMethodTarget,
}

/**
 * Returns the object whose members a fault patches: the prototype of a class, the holder of a breakable function, else
 * the object itself.
 */
export function holderOf(target: MethodTarget): object {
  return placeOf(target) as object
}

function placeOf(target: MethodTarget): unknown {
  if (HOLDER in target) return target[HOLDER]
  return typeof target === 'function' ? (target as { readonly prototype?: unknown }).prototype : target
}

/**
 * Chooses the methods that a fault affects.
 *
 * @param wanted Names or globs. Default: the methods that are `async` functions or `async` generators. A getter must be
 *   named in full.
 * @param answers How the chosen methods answer. Default: as the kind of function tells, else with a promise.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if a name or glob matches nothing, or if nothing is wanted and no method
 *   is `async`.
 */
export function chooseMembers(
  holder: object,
  wanted: string | readonly string[] | undefined,
  answers?: AnswerKind,
): readonly Member[] {
  const known = membersOf(holder)
  const methods = [...known].flatMap(([name, isGetter]) => (isGetter ? [] : [name]))
  const memberOf = (name: string): Member => {
    const isGetter = known.get(name) === true
    return {
      name,
      isGetter,
      answers: answers ?? (isGetter ? 'value' : (kindOf(originalOf(holder, name)) ?? 'promise')),
    }
  }
  if (wanted === undefined) {
    const found = methods.filter((name) => kindOf(originalOf(holder, name))?.match(ASYNC)).map(memberOf)
    if (found.length > 0) return found
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `The target has no \`async\` methods, only ${listed(methods)}. Name the methods that return promises in \`methods\`.`,
    )
  }
  const chosen = new Set<string>()
  for (const pattern of [wanted].flat()) {
    const found = known.has(pattern) ? [pattern] : methods.filter(globMatcher([pattern]))
    for (const name of found) chosen.add(name)
    if (found.length > 0) continue
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Option \`methods\`: ${unknownName('method of the target', pattern, [...known.keys()])}`,
    )
  }
  return [...chosen].map(memberOf)
}

/**
 * Returns the names of all methods and getters, own and inherited, except those that every object or function has. The
 * value of a getter is `true`.
 */
function membersOf(holder: object): ReadonlyMap<string, boolean> {
  const members = new Map<string, boolean>()
  const names = new Set(['constructor'])
  for (
    let object: object | null = holder;
    object !== null && object !== Object.prototype && object !== Function.prototype;
    object = Object.getPrototypeOf(object) as object | null
  ) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      // The nearest member of a name hides inherited ones, even if it is a data field.
      if (names.has(name)) continue
      names.add(name)
      if (Reflect.get(descriptor, 'get') !== undefined) members.set(name, true)
      else if (typeof descriptor.value === 'function') members.set(name, false)
    }
  }
  return members
}

const KINDS: Readonly<Record<string, AnswerKind>> = {
  AsyncFunction: 'promise',
  AsyncGeneratorFunction: 'async-iterator',
  GeneratorFunction: 'iterator',
}
const ASYNC = /^(?:promise|async-iterator)$/

/** Returns how a function answers, if its kind tells. */
function kindOf(fn: unknown): AnswerKind | undefined {
  return typeof fn === 'function' ? KINDS[Object.prototype.toString.call(fn).slice('[object '.length, -1)] : undefined
}
