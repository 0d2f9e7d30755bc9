import { journal, type InjectionState, type JournalEntry } from '@chaos/core'
import { countsOf, hitText, nameOf } from '../test-chaos/explanation.js'
import type { Hit } from '../test-chaos/follow-hits.js'
import { hitsOf } from '../test-chaos/recorded.js'

/** What is read of an injection. A controller gives such states too. */
export type Injected = Pick<
  InjectionState,
  'id' | 'fault' | 'target' | 'seen' | 'affected' | 'landedAt' | 'armedAt' | 'endedAt'
>

/** How many hits are listed in a message. */
const LISTED = 10

/** @throws TypeError if a value is no injection. */
export function assertInjected(value: unknown, matcher: string): asserts value is Injected {
  const isInjected = typeof value === 'object' && value !== null && 'affected' in value && 'landedAt' in value
  if (!isInjected) throw new TypeError(`${matcher} expects an injection, as \`chaos.inject\` returns it.`)
}

/** The hits of an injection, oldest first: of one that was made otherwise, those that the journal of the process still has. */
export function hitsOfInjected(injection: Injected): readonly Hit[] {
  const { id, armedAt, endedAt = Number.POSITIVE_INFINITY } = injection
  // A later injection may have the id of one that has ended.
  const isOwn = (entry: JournalEntry): entry is Hit =>
    entry.type === 'hit' && entry.id === id && entry.at >= armedAt && entry.at <= endedAt
  return hitsOf(injection) ?? journal.entries.filter(isOwn)
}

/** @throws Error if not all hits of an injection are known: what is looked for may be among the others. */
export function assertAllKnown(injection: Injected, matcher: string): void {
  const known = hitsOfInjected(injection).length
  if (known >= injection.affected) return
  throw new Error(
    `${matcher} cannot tell: of ${injection.affected} hits of the fault ${nameOf(injection)}, ${known} are known. ` +
      'Inject with the `chaos` of the test, and with a `limit` if there are more hits than 1,000.',
  )
}

/** A fault and what it did: `adapter/refuse-calls on Store hit 2 of 3 calls: get, call 1; get, call 2`. */
export function account(injection: Injected): string {
  const hits = hitsOfInjected(injection)
  const listed = hits.slice(0, LISTED).map(hitText)
  const others = injection.affected - listed.length
  const more = others > 0 ? [`and ${others} more`] : []
  const text = `${nameOf(injection)} ${countsOf(injection)}`
  return listed.length === 0 ? `${text}.` : `${text}: ${[...listed, ...more].join('; ')}.`
}
