import { ChaosError } from '@chaos/core'
import { type AnyFunction, globMatcher, listed, originalOf, type TargetKind, unknownName } from '@chaos/core/authoring'
import type { AnswerKind } from './answers.js'
import { isCommandTarget } from './commands.js'

/** What can be broken by its calls: an object, a class (all of its instances), a function made by {@link breakable}, or a bound client of a driver. */
export type MethodTarget = object

/** A member that a fault acts on. */
export interface Member {
  readonly name: string
  readonly isGetter: boolean
  readonly answers: AnswerKind
}

/** Where a breakable function keeps the object whose method it calls. Shared by the copies of this package in a process. */
const HOLDER = Symbol.for('@chaos/adapter.holder')

/**
 * Makes a function that faults can break; hand it on in place of `fn`. A bare function has no place where anything could be laid over
 * it, so this is the place: a call more, and nothing else, while no fault is in force.
 *
 * @returns A function with the name, arity, own keys and `this` of `fn`. Its operation is named after `fn`, or `call` where that has no name.
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

/** Whether a value has methods to break. */
function isMethodTarget(value: unknown): value is MethodTarget {
  if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return false
  if (isCommandTarget(value)) return true
  const place = placeOf(value)
  return typeof place === 'object' && place !== null && membersOf(place).size > 0
}

/** The kind of target that faults take. */
export const methodTarget: TargetKind<MethodTarget> = {
  expects: 'an object or a class with methods, a function made by `breakable`, or a bound client of a driver',
  accepts: isMethodTarget,
}

/** The object whose members are replaced: a class's prototype, a breakable function's holder, else the object itself. */
export function holderOf(target: MethodTarget): object {
  return placeOf(target) as object
}

function placeOf(target: MethodTarget): unknown {
  if (HOLDER in target) return target[HOLDER]
  return typeof target === 'function' ? (target as { readonly prototype?: unknown }).prototype : target
}

/**
 * The methods a fault acts on.
 *
 * @param wanted Names or globs. Default: the methods that are `async` functions or `async` generators. A getter must be named in full.
 * @param answers How the chosen ones answer. Default: as their kind of function does, and with a promise where that does not tell.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when a name or glob matches nothing, or nothing is wanted and nothing is `async`
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
      `Expected a target with \`async\` methods, got one with ${listed(methods)}. Name the ones that return promises in \`methods\`.`,
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

/** Names of all methods and getters, own and inherited, without those every object or function has; `true` for a getter. */
function membersOf(holder: object): ReadonlyMap<string, boolean> {
  const members = new Map<string, boolean>()
  const names = new Set(['constructor'])
  for (
    let object: object | null = holder;
    object !== null && object !== Object.prototype && object !== Function.prototype;
    object = Object.getPrototypeOf(object) as object | null
  ) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      // The nearest member of a name hides the others, also where it is a field of state.
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

/** How a function answers, where its kind tells. */
function kindOf(fn: unknown): AnswerKind | undefined {
  return typeof fn === 'function' ? KINDS[Object.prototype.toString.call(fn).slice('[object '.length, -1)] : undefined
}
