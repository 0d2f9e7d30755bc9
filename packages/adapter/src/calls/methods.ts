import { ChaosError } from '@chaos/core'
import { type AnyFunction, globMatcher, listed, originalOf, type TargetKind, unknownName } from '@chaos/core/authoring'
import type { AnswerKind } from './answers.js'
import { isCommandTarget } from './commands.js'
import { fittingBinding } from './fitting-binding.js'

/**
 * A target of call faults: an object, a class (all of its instances), a function with methods of its own, a function
 * made by {@link breakable}, or a bound client of a driver.
 */
export type MethodTarget = object

/** A method or a getter that a fault affects. */
export interface Member {
  /** The object that is patched. */
  readonly holder: object
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
  try {
    return isCommandTarget(value) || placesOf(value).some((place) => membersOf(place).size > 0)
  } catch {
    // A revoked proxy throws when it is read.
    return false
  }
}

/** The kind of target that call faults accept. */
export const methodTarget: TargetKind<MethodTarget> = {
  expects:
    'an object or a class with methods, a function with methods of its own or made by `breakable`, or a bound client of a driver',
  accepts: isMethodTarget,
}

/**
 * Returns the objects whose members a fault may patch, the most fitting first: the holder of a breakable function, the
 * prototype of a class, and the function itself, for a class with static methods and for a client that can be called.
 */
function placesOf(target: MethodTarget): readonly object[] {
  if (typeof target !== 'function') return [target]
  const prototype = Reflect.get(target, 'prototype') as unknown
  const holder = HOLDER in target ? target[HOLDER] : prototype
  return typeof holder === 'object' && holder !== null && membersOf(holder).size > 0 ? [holder, target] : [target]
}

/**
 * Chooses the methods that a fault affects.
 *
 * @param wanted Names or globs. Default: the methods that are `async` functions or `async` generators; of a client
 *   whose queries wait to be executed, all. A getter must be named in full. The static methods of a class are affected
 *   if they are named and its instances have none of that name.
 * @param answers How the chosen methods answer. Default: as the kind of function tells, else with a promise.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if a name or glob matches nothing, or if nothing is wanted and no method
 *   is `async`.
 */
export function chooseMembers(
  target: MethodTarget,
  wanted: string | readonly string[] | undefined,
  answers?: AnswerKind,
): readonly Member[] {
  const places = placesOf(target).map((holder) => ({ holder, known: membersOf(holder) }))
  const [{ holder: first, known: ofFirst }] = places as [(typeof places)[0]]
  const isLazy = isLazyClient(HOLDER in target ? Object.values(first)[0] : target)
  const memberOf = (holder: object, name: string, isGetter: boolean): Member => ({
    holder,
    name,
    isGetter,
    answers: answers ?? (isGetter ? 'value' : (kindOf(originalOf(holder, name)) ?? (isLazy ? 'lazy' : 'promise'))),
  })
  const methodsOf = (known: ReadonlyMap<string, boolean>): string[] =>
    [...known].flatMap(([name, isGetter]) => (isGetter ? [] : [name]))
  if (wanted === undefined) {
    const members = methodsOf(ofFirst).map((name) => memberOf(first, name, false))
    const found = members.filter(({ name, answers: kind }) => kind === 'lazy' || isAsync(originalOf(first, name)))
    if (found.length > 0) return found
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      fittingBinding(target) ??
        `The target has no \`async\` methods, only ${listed(methodsOf(ofFirst))}. Name the methods that return promises in \`methods\`.`,
    )
  }
  const chosen = new Map<string, Member>()
  for (const pattern of [wanted].flat()) {
    const found = places
      .map(({ holder, known }) => ({
        holder,
        known,
        names: known.has(pattern) ? [pattern] : methodsOf(known).filter(globMatcher([pattern])),
      }))
      .find(({ names }) => names.length > 0)
    if (found === undefined) {
      const names = [...new Set(places.flatMap(({ known }) => [...known.keys()]))]
      const advice = fittingBinding(target)
      // The methods of a known client are mostly internals.
      const told =
        advice === undefined
          ? unknownName('method of the target', pattern, names)
          : `The target has no such method. ${advice}`
      throw new ChaosError('CHAOS_TARGET_MISMATCH', `Option \`methods\`: ${told}`)
    }
    for (const name of found.names) {
      if (!chosen.has(name)) chosen.set(name, memberOf(found.holder, name, found.known.get(name) === true))
    }
  }
  return [...chosen.values()]
}

/**
 * Returns whether a client builds queries that wait to be executed: postgres.js' `sql`, knex, or a model of mongoose.
 */
function isLazyClient(target: unknown): boolean {
  if (typeof target !== 'function') return false
  const has = (...names: readonly string[]): boolean =>
    names.every((name) => typeof Reflect.get(target, name) === 'function')
  return (
    has('unsafe', 'json', 'array') || has('raw', 'select', 'queryBuilder') || has('findOne', 'hydrate', 'aggregate')
  )
}

/**
 * Returns the names of all methods and getters, own and inherited, except those that every object or function has, and
 * classes. The value of a getter is `true`.
 */
function membersOf(holder: object): ReadonlyMap<string, boolean> {
  const members = new Map<string, boolean>()
  const names = new Set(typeof holder === 'function' ? ['constructor', 'caller', 'arguments'] : ['constructor'])
  for (
    let object: object | null = holder;
    object !== null && !isRoot(object);
    object = Object.getPrototypeOf(object) as object | null
  ) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      // The nearest member of a name hides inherited ones, even if it is a data field.
      if (names.has(name)) continue
      names.add(name)
      if (Reflect.get(descriptor, 'get') !== undefined) members.set(name, true)
      else if (typeof descriptor.value === 'function' && !isClass(descriptor.value)) members.set(name, false)
    }
  }
  return members
}

/** Returns whether a function is a class, which a client may carry: `sql.PostgresError`. It cannot be called. */
function isClass(value: unknown): boolean {
  return typeof value === 'function' && Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false
}

/** Returns whether an object is `Object.prototype` or `Function.prototype`, of this realm or another one. */
function isRoot(object: object): boolean {
  if (object === Object.prototype || object === Function.prototype) return true
  return Object.hasOwn(object, 'hasOwnProperty') && Object.hasOwn(object, 'isPrototypeOf')
    ? Object.getPrototypeOf(object) === null
    : typeof object === 'function' && Object.hasOwn(object, 'apply') && Object.hasOwn(object, 'bind')
}

const KINDS: Readonly<Record<string, AnswerKind>> = {
  AsyncFunction: 'promise',
  AsyncGeneratorFunction: 'async-iterator',
  GeneratorFunction: 'iterator',
}

/** Returns whether a function is `async`, a generator or not. */
function isAsync(fn: unknown): boolean {
  return /^(?:promise|async-iterator)$/.test(kindOf(fn) ?? '')
}

/** Returns how a function answers, if its kind tells. */
function kindOf(fn: unknown): AnswerKind | undefined {
  return typeof fn === 'function' ? KINDS[Object.prototype.toString.call(fn).slice('[object '.length, -1)] : undefined
}
