import { printable } from '@chaos/core/authoring'
import type { InstanceRecord } from '../plan/instance.js'
import type { Ack } from '../transports/transport.js'
import { boundedEvidence, boundedLabels } from './bounded.js'

/** What a controller knows of one instance of a run. Times are those of the controller's clock, in ms since the epoch. */
export interface InstanceOutcome {
  readonly id: string
  /** The service and the labels of the instance when the run was planned; `undefined`: it was not listed. */
  readonly service: string | undefined
  readonly labels: Readonly<Record<string, string>> | undefined
  /** `waiting`: it has not answered. Else the last answer of its agent. */
  readonly status: 'waiting' | Ack['status']
  /** Why it refused or reverted. */
  readonly why: string | undefined
  readonly hits: number
  readonly evidence: readonly Readonly<Record<string, unknown>>[]
  /** When the controller saw that the fault is in force. The instance ends it by itself within the plan's `maxDurationMs`. */
  readonly appliedSeenAt: number | undefined
  /** When the agent began to put the fault in force, at the latest: reckoned from its answers. */
  readonly begunBy: number | undefined
  /** When the fault first had an effect, at the latest: reckoned from the answers of the agent. */
  readonly landedAt: number | undefined
  /** When the controller saw that it refused or reverted. */
  readonly endedSeenAt: number | undefined
  /** Whether it was missing from the latest list of the fleet. */
  readonly isGone: boolean
}

/** An instance whose outcome has changed. */
export interface OutcomeChange {
  readonly before: InstanceOutcome
  readonly now: InstanceOutcome
}

/** Whys with which a fault ends by itself, as planned. Every other one cuts it short. */
const NATURAL_ENDS: readonly string[] = ['max-duration', 'limit-spent', 'completed', 'lease-expired']

/** The longest why that is kept, in characters. */
const MAX_WHY = 500

/** The outcomes of all instances before any has answered. @param fleet The instances when the run was planned. */
export function waitingFor(
  ids: readonly string[],
  fleet: readonly InstanceRecord[] = [],
): Map<string, InstanceOutcome> {
  const records = new Map(fleet.map((record) => [record.id, record]))
  return new Map(
    ids.map((id) => {
      const record = records.get(id)
      return [
        id,
        {
          id,
          service: record === undefined ? undefined : printable(record.service),
          labels: record === undefined ? undefined : boundedLabels(record.labels),
          status: 'waiting',
          why: undefined,
          hits: 0,
          evidence: [],
          appliedSeenAt: undefined,
          begunBy: undefined,
          landedAt: undefined,
          endedSeenAt: undefined,
          isGone: false,
        },
      ]
    }),
  )
}

/**
 * Takes the answers of agents over. Answers of instances that are not in the plan are ignored, and so is one that would
 * bring an instance back.
 *
 * @param at When the answers arrived.
 * @param activeAt When the instances were told to begin; `undefined`: not yet.
 * @returns The instances whose outcome has changed, with the outcome before.
 */
export function takeAcks(
  outcomes: Map<string, InstanceOutcome>,
  acks: ReadonlyMap<string, Ack>,
  at: number,
  activeAt: number | undefined,
): readonly OutcomeChange[] {
  return [...outcomes.values()].flatMap((before) => {
    const ack = acks.get(before.id)
    if (ack === undefined) return []
    const now = after(before, ack, at, activeAt)
    if (now === undefined) return []
    outcomes.set(now.id, now)
    return [{ before, now }]
  })
}

/** Notes which instances are missing from a list of the fleet. @returns The instances whose outcome has changed */
export function noteGone(
  outcomes: Map<string, InstanceOutcome>,
  listed: readonly InstanceRecord[],
): readonly OutcomeChange[] {
  const present = new Set(listed.map(({ id }) => id))
  return [...outcomes.values()].flatMap((before) => {
    const isGone = !present.has(before.id)
    if (isGone === before.isGone) return []
    const now = { ...before, isGone }
    outcomes.set(now.id, now)
    return [{ before, now }]
  })
}

/** The order in which an agent answers. */
const RANK = { waiting: 0, ready: 1, applied: 2, reverted: 3, refused: 3 } as const

function after(
  before: InstanceOutcome,
  ack: Ack,
  at: number,
  activeAt: number | undefined,
): InstanceOutcome | undefined {
  const hits = Number.isSafeInteger(ack.hits) ? Math.max(before.hits, ack.hits ?? 0) : before.hits
  const evidence = ack.evidence === undefined ? before.evidence : boundedEvidence(ack.evidence)
  const isNews = RANK[ack.status] > RANK[before.status]
  if (!isNews && hits === before.hits && evidence.length === before.evidence.length) return undefined
  const begunBy = activeAt === undefined ? undefined : begunByOf(before, ack, at, activeAt)
  const hasLanded = activeAt !== undefined && (hits > 0 || evidence.length > 0)
  return {
    ...before,
    hits,
    evidence,
    begunBy,
    landedAt: hasLanded ? landingOf(before, ack, begunBy, at, activeAt) : before.landedAt,
    ...(isNews
      ? {
          status: ack.status,
          why: ack.why === undefined ? undefined : printable(ack.why, { max: MAX_WHY }),
          appliedSeenAt: ack.status === 'applied' ? at : before.appliedSeenAt,
          endedSeenAt: isOver(ack) ? at : undefined,
        }
      : {}),
  }
}

/**
 * The latest time at which the agent can have begun. An answer was made before it arrived, so each gives a bound, and the
 * lowest one counts. An agent may say anything: it began neither before it was told to nor in the future.
 */
function begunByOf(before: InstanceOutcome, { appliedAgoMs }: Ack, at: number, activeAt: number): number | undefined {
  if (appliedAgoMs === undefined) return before.begunBy
  return Math.max(activeAt, Math.min(at - appliedAgoMs, before.begunBy ?? at))
}

/**
 * The latest time at which the fault can have landed: the time between its begin and its landing, by the clock of the agent,
 * after the begin; at most as long ago as the answer says. An answer without ages, or with impossible ones, dates it as seen.
 */
function landingOf(
  before: InstanceOutcome,
  { appliedAgoMs, landedAgoMs }: Ack,
  begunBy: number | undefined,
  at: number,
  activeAt: number,
): number {
  const known = before.landedAt ?? at
  if (appliedAgoMs === undefined || landedAgoMs === undefined || begunBy === undefined || landedAgoMs > appliedAgoMs)
    return known
  const landedBy = Math.min(at - landedAgoMs, begunBy + appliedAgoMs - landedAgoMs)
  return Math.max(activeAt, Math.min(landedBy, known))
}

/** Whether an instance is whole, by its own word. */
export const isOver = ({ status }: Pick<InstanceOutcome, 'status'>): boolean =>
  status === 'reverted' || status === 'refused'

/** Whether the fault has ended by itself in an instance, as planned. */
export const endedByItself = ({ status, why = '' }: InstanceOutcome): boolean =>
  status === 'reverted' && NATURAL_ENDS.includes(why)

/** Whether the fault is or was in force in an instance for as long as planned. */
export const isServing = (outcome: InstanceOutcome): boolean => outcome.status === 'applied' || endedByItself(outcome)

/**
 * When an instance is whole without having said so; `undefined`: not before the run has been closed for a lease. The fault
 * was in force when the controller saw it, and no renewal keeps it there for longer than `maxDurationMs`.
 */
export const wholeAt = ({ appliedSeenAt }: InstanceOutcome, maxDurationMs: number): number | undefined =>
  appliedSeenAt === undefined ? undefined : appliedSeenAt + maxDurationMs

/** Who refused or reverted and why, for a message: the first five. */
export function whysOf(outcomes: Iterable<InstanceOutcome>): string {
  const all = [...outcomes].map(({ id, status, why }) => {
    const said = status === 'waiting' ? 'no answer' : status
    return `${printable(id)}: ${said}${why === undefined ? '' : ` (${why})`}`
  })
  return all.length > MAX_SHOWN
    ? `${all.slice(0, MAX_SHOWN).join('; ')}; and ${all.length - MAX_SHOWN} more`
    : all.join('; ')
}
const MAX_SHOWN = 5

/** Counts instances by what they last said, and their hits. `unanswered`: they said nothing. */
export function accountOf(instances: readonly InstanceOutcome[]): Readonly<Record<string, number>> {
  const count = (status: InstanceOutcome['status']): number => instances.filter((one) => one.status === status).length
  return {
    instances: instances.length,
    applied: count('applied'),
    reverted: count('reverted'),
    refused: count('refused'),
    unanswered: count('waiting'),
    hits: instances.reduce((sum, { hits }) => sum + hits, 0),
  }
}
