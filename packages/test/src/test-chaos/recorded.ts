import type { InjectionState, JournalEntry, OutsideCall } from '@chaos/core'
import type { Hit } from './follow-hits.js'
import type { TestInjectOptions } from './test-chaos.js'

/** The most hits of one injection that are kept. */
export const MAX_HITS = 1_000

/** An injection of a test, and what it did. */
export interface Recorded {
  readonly id: string
  readonly fault: string
  /** What the test gave. */
  readonly how: TestInjectOptions
  /** The stack of the call that injected the fault, without a message. */
  readonly calledFrom: string
  /** Its live or latest state. `undefined` until the fault is in force, and if it could not be injected. */
  injection: InjectionState | undefined
  readonly hits: Hit[]
  /** The first call that was outside of the scope. */
  outside: OutsideCall | undefined
}

/** What all copies of this package in a process share: a matcher of one may get an injection of another. */
const KEY = Symbol.for('@chaos/test.hits')

function hitsByInjection(): WeakMap<object, readonly Hit[]> {
  const shared = Reflect.get(globalThis, KEY) as WeakMap<object, readonly Hit[]> | undefined
  if (shared !== undefined) return shared
  const made = new WeakMap<object, readonly Hit[]>()
  Object.defineProperty(globalThis, KEY, { value: made, configurable: true })
  return made
}

/** The hits of an injection that a test has made with its `chaos`. `undefined` for any other injection. */
export function hitsOf(injection: object): readonly Hit[] | undefined {
  return hitsByInjection().get(injection)
}

/** Notes that a fault is in force. */
export function noteArmed(record: Recorded, injection: InjectionState): void {
  record.injection = injection
  hitsByInjection().set(injection, record.hits)
}

/** Notes a hit of a fault. One after its end is of a later fault with the same id. */
export function noteHit({ hits, injection }: Recorded, hit: Hit): void {
  if (hits.length < MAX_HITS && injection?.endedAt === undefined) hits.push(hit)
}

/** A fault that was in force should have hit something, and did not. */
export function hasMissed({ injection, how }: Recorded): boolean {
  if (injection === undefined || how.mayMiss === true || how.rate === 0) return false
  return injection.affected === 0 && injection.landedAt === undefined
}

/** The stack of the caller of a function, without the message. */
export function stackAbove(called: (...args: never) => unknown): string {
  const at = { stack: '' }
  Error.captureStackTrace(at, called)
  return at.stack.slice(at.stack.indexOf('\n') + 1)
}

/** The injection that an entry of a journal is about. */
export function idOfEntry(entry: JournalEntry): string {
  return 'injection' in entry ? entry.injection.id : entry.id
}
