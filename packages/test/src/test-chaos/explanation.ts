import type { InjectOptions, InjectionState } from '@chaos/core'
import { printable } from '@chaos/core/authoring'
import { EXPLANATION } from './amend.js'
import type { Hit } from './follow-hits.js'
import type { Recorded } from './recorded.js'

/** How many hits of a fault are listed. */
const LISTED_HITS = 10
/** How many faults are listed. */
const LISTED_FAULTS = 20

/** Explains a failing test: its faults, what they hit, the seed, and how to run this test alone again. `undefined`: no fault. */
export function explain(
  records: readonly Recorded[],
  { seed, rerun }: { readonly seed: string; readonly rerun: string },
): string | undefined {
  if (records.length === 0) return undefined
  const shown = records.slice(0, LISTED_FAULTS)
  const more = records.length - shown.length
  return [
    `${EXPLANATION} (seed ${printable(seed, { max: 200 })}):`,
    ...shown.flatMap((record) => linesOf(record).map((line) => `  ${line}`)),
    ...(more > 0 ? [`  and ${more} more`] : []),
    `Run this test alone again: ${rerun}`,
  ].join('\n')
}

function linesOf({ fault, how, injection, hits, outside }: Recorded): readonly string[] {
  if (injection === undefined) return [`${fault}: not in force`]
  const head = `${nameOf(injection)}${radiusOf(how)}: ${countsOf(injection)}, ${statusOf(injection)}`
  const listed = hits.slice(0, LISTED_HITS).map((hit) => `  ${hitText(hit)}`)
  const more = injection.affected - listed.length
  return [
    head,
    ...listed,
    ...(listed.length > 0 && more > 0 ? [`  and ${more} more`] : []),
    ...(outside === undefined ? [] : [`  calls outside of its scope were not affected`]),
  ]
}

/** The fault and its target: `adapter/refuse-calls on Store`. */
export function nameOf({ fault, target }: Pick<InjectionState, 'fault' | 'target'>): string {
  return `${printable(fault, { max: 100 })} on ${printable(target, { max: 100 })}`
}

/** A hit: `get, call 3, in "checkout > POST /orders"`. */
export function hitText({ operation, call, scope }: Pick<Hit, 'operation' | 'call' | 'scope'>): string {
  const within = scope === undefined ? '' : `, in "${printable(scope, { max: 300 })}"`
  return `${printable(operation, { max: 200 })}, call ${call}${within}`
}

/** What a fault did, in counts: `hit 1 of 2 calls`. */
export function countsOf({ affected, seen, landedAt }: Pick<InjectionState, 'affected' | 'seen' | 'landedAt'>): string {
  if (affected > 0) return `hit ${affected} of ${seen} ${seen === 1 ? 'call' : 'calls'}`
  if (landedAt !== undefined) return 'landed'
  return seen === 0 ? 'hit nothing, and saw no call' : `hit nothing of ${seen} ${seen === 1 ? 'call' : 'calls'}`
}

function statusOf({ status, outcome }: InjectionState): string {
  return status === 'active' ? 'in force' : `ended (${outcome ?? status})`
}

/** The blast radius, as the test gave it: `, only get, limit 1`. */
function radiusOf({ only, skip, every, rate, limit, limitPerOperation }: InjectOptions): string {
  const names = typeof only === 'string' ? [only] : typeof only === 'function' ? ['a predicate'] : only
  const parts = Object.entries({ only: names?.slice(0, 5).join(' '), skip, every, rate, limit, limitPerOperation })
  return parts
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `, ${name} ${printable(String(value), { max: 200 })}`)
    .join('')
}
