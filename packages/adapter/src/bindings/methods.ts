import { ChaosError, globMatcher, isGlob, listed, originalOf, suggestion } from '@chaos/core'

/** What can be broken by its methods: an object, or a class (all of its instances). */
export type MethodTarget = object

/** Whether a value has methods to break. */
export function isMethodTarget(value: unknown): value is MethodTarget {
  if (typeof value === 'function') return typeof prototypeOf(value) === 'object'
  return typeof value === 'object' && value !== null && methodNames(value).length > 0
}

/** The object whose members are replaced: a class's prototype, else the object itself. */
export function holderOf(target: MethodTarget): object {
  return typeof target === 'function' ? (prototypeOf(target) as object) : target
}

/**
 * The methods a fault acts on.
 *
 * @param wanted Names or globs. Default: the methods that are `async` functions, since a rejection is an answer only they can give.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when a name or glob matches nothing, or nothing is wanted and nothing is `async`
 */
export function chooseMethods(holder: object, wanted: string | readonly string[] | undefined): readonly string[] {
  const known = methodNames(holder)
  if (wanted === undefined) {
    const found = known.filter((name) => isAsync(originalOf(holder, name)))
    if (found.length > 0) return found
    throw new ChaosError('CHAOS_TARGET_MISMATCH', `Expected a target with \`async\` methods, got one with ${listed(known)}. Name the ones that return promises in \`methods\`.`)
  }
  const patterns = [wanted].flat()
  for (const pattern of patterns) {
    if (known.some(globMatcher([pattern]))) continue
    throw new ChaosError('CHAOS_TARGET_MISMATCH', `Expected \`methods\` to name methods of the target (${listed(known)}), got \`${pattern}\`.${isGlob(pattern) ? '' : suggestion(pattern, known)}`)
  }
  return known.filter(globMatcher(patterns))
}

/** Names of all methods, own and inherited, without those every object or function has. */
function methodNames(holder: object): string[] {
  const names = new Set<string>()
  for (let object: object | null = holder; object !== null && object !== Object.prototype && object !== Function.prototype; object = Object.getPrototypeOf(object) as object | null) {
    for (const [name, { value }] of Object.entries<{ value?: unknown }>(Object.getOwnPropertyDescriptors(object))) {
      if (typeof value === 'function' && name !== 'constructor') names.add(name)
    }
  }
  return [...names]
}

function isAsync(value: unknown): boolean {
  return typeof value === 'function' && Object.prototype.toString.call(value) === '[object AsyncFunction]'
}

function prototypeOf(value: object): unknown {
  return 'prototype' in value ? value.prototype : undefined
}
