import * as v from 'valibot'
import type { ControllerInfo, InjectionState, JournalEntry } from '@chaos/core'
import { option, optionsSchema, portableInjectOptions } from '@chaos/core/authoring'

const text = v.string()
const number = v.number()
const record = v.record(v.string(), v.unknown())
const kind = v.picklist(['standing', 'instant'])

/** One schema per field of a type. Adding, renaming or removing a field of the type is a compile error here. */
type FieldsOf<T> = { readonly [Key in keyof T]-?: v.GenericSchema<unknown, unknown> }

/** A type as it arrives in JSON, which omits fields that are `undefined`. */
type OnTheWire<T> = { readonly [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] } & {
  readonly [Key in keyof T as undefined extends T[Key] ? Key : never]?: T[Key]
}

/** The fields of {@link ControllerInfo}. They define the schema and the keys that are sent. */
const controllerInfo = {
  environment: v.optional(text),
  refusal: v.optional(text),
  seed: text,
  maxLeaseMs: number,
  // Absent in apps with an older version.
  now: v.optional(number),
} satisfies FieldsOf<ControllerInfo>

export const controllerInfoSchema = v.looseObject(controllerInfo)

export const targetInfoSchema = v.looseObject({ name: text, faults: v.array(text) })

export const faultInfoSchema = v.looseObject({ name: text, kind, summary: text, options: record })

/** The fields of {@link InjectionState}. They define the schema and the keys that are sent. */
const injectionState = {
  id: text,
  fault: text,
  kind,
  target: text,
  options: record,
  seed: text,
  status: v.picklist(['arming', 'active', 'ending', 'ended']),
  outcome: v.optional(
    v.picklist(['rolled-back', 'stopped', 'lease-expired', 'limit-spent', 'aborted', 'completed', 'failed']),
  ),
  armedAt: number,
  leaseMs: number,
  leaseEndsAt: number,
  landedAt: v.optional(number),
  endedAt: v.optional(number),
  seen: number,
  affected: number,
  passed: number,
  held: number,
  queued: number,
  // Absent in apps with an older core.
  account: v.optional(v.record(text, number), {}),
  evidence: v.array(record),
  failures: v.array(text),
} satisfies FieldsOf<InjectionState>

export const injectionStateSchema = v.looseObject(injectionState)

export const stopReportSchema = v.looseObject({ stopped: v.array(injectionStateSchema) })

const journalEntrySchema = v.variant('type', [
  v.looseObject({ type: v.picklist(['armed', 'landed', 'ended']), at: number, injection: injectionStateSchema }),
  v.looseObject({ type: v.literal('hit'), at: number, id: text, operation: text, call: number }),
  v.looseObject({ type: v.literal('warning'), at: number, id: text, message: text }),
])

/** A message of the server on the WebSocket. */
export const eventMessageSchema = v.variant('type', [
  v.looseObject({ type: v.literal('hello'), connection: text, info: controllerInfoSchema }),
  v.looseObject({ type: v.literal('entry'), entry: journalEntrySchema }),
  v.looseObject({ type: v.literal('app-event'), event: v.looseObject({ topic: text, at: number, data: record }) }),
  v.looseObject({ type: v.literal('dropped'), hits: number }),
])

export const errorBodySchema = v.looseObject({
  error: v.looseObject({ code: v.pipe(text, v.regex(/^CHAOS_[A-Z_]{1,60}$/)), message: text }),
})

/** The longest name in a request, in characters. */
const MAX_NAME = 200
const shortText = (description: string) => option.text(description, MAX_NAME)

/** The body of `POST /injections` and of `POST /checks`. */
export const injectionRequestSchema = optionsSchema({
  target: shortText('The name of the target to break.'),
  fault: shortText('The name of the fault, or the part after the slash if that is unambiguous.'),
  options: option.optional(option.object('The options of the fault.')),
  connection: option.optional(
    shortText(
      'The id from the hello of an open event stream. The injection ends when that stream does. Default: only the lease ends it.',
    ),
  ),
  ...portableInjectOptions,
})

/** The query of `DELETE /injections`. */
export const stopAllQuerySchema = optionsSchema({
  process: option.optional(
    option.oneOf(
      ['true', 'false'],
      'Accepted from earlier clients. Has no effect: every injection of the process ends.',
    ),
  ),
})

/** The query of every other route, which is empty. */
export const noQuerySchema = optionsSchema({})

/**
 * The state of an injection as plain data. A live injection has getters, and JSON omits fields that are `undefined`.
 */
export function plainState(state: OnTheWire<InjectionState>): InjectionState {
  return picked(injectionState, state) as InjectionState
}

/** The description of a controller as plain data. */
export function plainInfo(info: OnTheWire<ControllerInfo>): ControllerInfo {
  return picked(controllerInfo, info) as ControllerInfo
}

/** Copies only the fields that a schema declares. */
function picked(fields: object, from: object): object {
  return Object.freeze(Object.fromEntries(Object.keys(fields).map((key) => [key, Reflect.get(from, key) as unknown])))
}

export function plainEntry(entry: OnTheWireEntry): JournalEntry {
  return 'injection' in entry ? { type: entry.type, at: entry.at, injection: plainState(entry.injection) } : entry
}

/** A journal entry as it arrives. */
type OnTheWireEntry =
  | { readonly type: 'armed' | 'landed' | 'ended'; readonly at: number; readonly injection: OnTheWire<InjectionState> }
  | Exclude<JournalEntry, { readonly injection: InjectionState }>
