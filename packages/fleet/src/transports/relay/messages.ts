import { ChaosError, isChaosError } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import type { InstanceRecord } from '../../plan/instance.js'
import { isAck, isInstance, isObject, isRunView, knownFields } from '../records.js'
import type { KnownPlan } from '../known-plan.js'
import type { Ack, Snapshot } from '../transport.js'

/** The longest message of an agent to a relay, in bytes. */
export const MAX_REQUEST = 524_288
/** The longest message of a controller to a relay, in bytes. It may hold a plan of 1 MiB, quoted. */
export const MAX_CONTROL_REQUEST = 4_194_304
/** The longest message of a relay, in bytes. It may hold a plan of 10,000 instances. */
export const MAX_ANSWER = 8_388_608

/** What a local process asks of a relay. */
export type Request =
  | {
      readonly id: number
      readonly do: 'read'
      readonly instance: InstanceRecord
      /** The run whose plan the process has. */
      readonly knows?: string
    }
  | { readonly id: number; readonly do: 'ack'; readonly runId: string; readonly instanceId: string; readonly ack: Ack }
  /** From now on the connection is that of a controller. It has no answer if that is allowed. */
  | { readonly id: number; readonly do: 'control' }
  /** A call of a controller. */
  | { readonly id: number; readonly do: 'call'; readonly name: string; readonly args: readonly unknown[] }

/** What is told of an error. */
export interface Failure {
  readonly code: string
  readonly message: string
}

/** What a relay tells a local process. */
export type Answer =
  /** The answer to a request: its value, after the items that were told of before. */
  | { readonly id: number; readonly value?: unknown }
  | { readonly id: number; readonly items: readonly unknown[] }
  | { readonly id: number; readonly error: Failure }
  /** A read may show something new. */
  | { readonly wake: true }
  /** The relay hangs up. */
  | { readonly refusal: Failure }

/** Reads a request; `undefined` if it makes no sense. */
export function requestOf(message: unknown): Request | undefined {
  if (!isObject(message) || !Number.isSafeInteger(message['id'])) return undefined
  const { knows, instance, runId, instanceId, ack, name, args } = message
  switch (message['do']) {
    case 'read':
      return isInstance(instance) && (knows === undefined || typeof knows === 'string')
        ? ({ ...message, instance: knownFields(instance) } as Request)
        : undefined
    case 'ack':
      return typeof runId === 'string' && typeof instanceId === 'string' && isAck(ack)
        ? (message as Request)
        : undefined
    case 'control':
      return message as Request
    case 'call':
      return typeof name === 'string' && Array.isArray(args) ? (message as Request) : undefined
    default:
      return undefined
  }
}

/** Reads an answer; `undefined` if it makes no sense. */
export function answerOf(message: unknown): Answer | undefined {
  if (!isObject(message)) return undefined
  const { wake, refusal, id, error, items } = message
  if (wake === true) return { wake: true }
  if (isFailure(refusal)) return { refusal }
  if (!Number.isSafeInteger(id) || (items !== undefined && !Array.isArray(items))) return undefined
  return error === undefined || isFailure(error) ? (message as unknown as Answer) : undefined
}

const isFailure = (value: unknown): value is Failure =>
  isObject(value) && typeof value['code'] === 'string' && typeof value['message'] === 'string'

/**
 * Reads the snapshot of an answer. A run that makes no sense counts as none.
 *
 * @throws What `failed` makes, if the snapshot makes no sense as a whole.
 */
export function snapshotOf(value: unknown, plan: KnownPlan | undefined, failed: (why: string) => Error): Snapshot {
  if (!isObject(value)) throw failed('it gave an answer that is none')
  const { isPermitted, epoch, run } = value
  if (typeof isPermitted !== 'boolean' || typeof epoch !== 'number' || !Number.isSafeInteger(epoch))
    throw failed('it gave an answer that is none')
  const isKnown = isObject(run) && run['signed'] === undefined && run['id'] === plan?.runId
  const whole = isKnown ? { ...run, signed: plan?.signed } : run
  return { isPermitted, epoch, run: isRunView(whole) ? whole : undefined }
}

/** What is told of an error. */
export function failureOf(error: unknown): Failure {
  return { code: isChaosError(error) ? error.code : 'CHAOS_FLEET_UNREACHABLE', message: messageOf(error) }
}

/** The errors that keep their code on the way. Any other one means that the engine did not answer. */
const CODES = ['CHAOS_FLEET_FORBIDDEN', 'CHAOS_FLEET_PLAN_REFUSED', 'CHAOS_INVALID_OPTION'] as const

/** The error that was told of. */
export function errorOf({ code, message }: Failure): ChaosError {
  return new ChaosError(CODES.find((one) => one === code) ?? 'CHAOS_FLEET_UNREACHABLE', message)
}
