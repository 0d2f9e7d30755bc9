import { ChaosError } from '@chaos/core'
import { defined } from '../plan/defined.js'
import type { InstanceRecord, InstanceState } from '../plan/instance.js'
import { MAX_PLAN_BYTES } from '../plan/check-plan.js'
import type { SignedPlan } from '../plan/plan.js'
import type { Ack, AuditEntry, Phase, RunView } from './transport.js'

/** The most characters of the record of an instance. */
export const MAX_RECORD = 131_072
/** The most characters of an answer about a run. */
const MAX_ACK = 16_384

type Fields = Readonly<Record<string, unknown>>

const STATES: ReadonlySet<unknown> = new Set<InstanceState>(['idle', 'ready', 'applied', 'reverting', 'leaving'])
const STATUSES: ReadonlySet<unknown> = new Set<Ack['status']>(['ready', 'applied', 'reverted', 'refused'])
const PHASES: ReadonlySet<unknown> = new Set<Phase>(['prepare', 'active'])

/** Returns the fields of the JSON text of an object; `undefined` for anything else. */
export function fieldsOf(text: unknown, max: number): Fields | undefined {
  if (typeof text !== 'string' || text.length > max) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether a value is an object with fields: no list. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)
const isAge = (value: unknown): boolean => value === undefined || (Number.isFinite(value) && Number(value) >= 0)

/**
 * Writes the record of an instance.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if nobody would read it, for its length
 */
export function instanceText(instance: InstanceRecord): string {
  const text = JSON.stringify(instance)
  if (text.length <= MAX_RECORD) return text
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `The record of this instance has ${text.length} characters of at most ${MAX_RECORD}. Give it fewer labels, or its controller fewer targets or faults.`,
  )
}

/** Reads the record of an instance, which any holder of an agent's credential may have written. */
export function instanceOf(text: unknown): InstanceRecord | undefined {
  const fields = fieldsOf(text, MAX_RECORD)
  return isInstance(fields) ? knownFields(fields) : undefined
}

/** The record of an instance without fields that nobody knows, which may be nested deeper than JSON can be written. */
export function knownFields(record: InstanceRecord): InstanceRecord {
  const { id, service, environment, labels, targets, instant, joinedAt, sdk, state } = record
  return defined({ id, service, environment, labels, targets, instant, joinedAt, sdk, state })
}

/** Whether a value is the record of an instance. */
export function isInstance(value: unknown): value is InstanceRecord {
  if (!isObject(value)) return false
  const { id, service, environment, labels, targets, instant, joinedAt, sdk, state } = value
  return (
    [id, service, environment, sdk].every(isText) &&
    id !== '' &&
    isObject(labels) &&
    Object.values(labels).every(isText) &&
    isObject(targets) &&
    Object.values(targets).every(isTexts) &&
    (instant === undefined || isTexts(instant)) &&
    (joinedAt === undefined || Number.isFinite(joinedAt)) &&
    STATES.has(state)
  )
}

/** Writes an answer about a run, without its evidence where that is too long. */
export function ackText(ack: Ack): string {
  const text = JSON.stringify(ack)
  if (text.length <= MAX_ACK) return text
  const { evidence: _evidence, why, ...rest } = ack
  return JSON.stringify({ ...rest, why: why?.slice(0, MAX_ACK / 8) })
}

/** Reads an answer about a run. */
export function ackOf(text: unknown): Ack | undefined {
  const fields = fieldsOf(text, MAX_ACK)
  return isAck(fields) ? fields : undefined
}

/** Whether a value is an answer about a run. */
export function isAck(value: unknown): value is Ack {
  if (!isObject(value)) return false
  const { status, why, hits, evidence, appliedAgoMs, landedAgoMs } = value
  return (
    STATUSES.has(status) &&
    [appliedAgoMs, landedAgoMs].every(isAge) &&
    (why === undefined || isText(why)) &&
    (hits === undefined || isWhole(hits)) &&
    (evidence === undefined || (Array.isArray(evidence) && evidence.every(isObject)))
  )
}

/** Whether a value is what a read says about a run. */
export function isRunView(value: unknown): value is RunView {
  if (!isObject(value) || !isSignedPlan(value['signed'])) return false
  const { id, phase, epoch, beat, remainingMs } = value
  return isText(id) && PHASES.has(phase) && [epoch, beat].every(isWhole) && Number.isFinite(remainingMs)
}

/** Whether a value is a signed plan of a length that a plan may have. Whether the signature is good is another question. */
export function isSignedPlan(value: unknown): value is SignedPlan {
  if (!isObject(value)) return false
  const { text, keyId, signature } = value
  return isText(text) && text.length <= MAX_PLAN_BYTES && isText(keyId) && isText(signature)
}

/** Whether a value is an entry of the audit log. */
export function isAuditEntry(value: unknown): value is AuditEntry {
  if (!isObject(value)) return false
  const { id, at, what, by, details } = value
  return (
    [id, what, by].every(isText) && Number.isFinite(at) && isObject(details) && Object.values(details).every(isText)
  )
}
