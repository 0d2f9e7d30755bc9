import * as v from 'valibot'
import type {
  ControllerInfo,
  InjectionInstance,
  InjectionInstances,
  InjectionState,
  JournalEntry,
  Observed,
  ObservedCalls,
} from '@chaos/core'
import { MAX_TIMER_MS, option, optionsSchema, portableInjectOptions } from '@chaos/core/authoring'
import type { AuditEntry } from './audit-log.js'

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

/** The most processes that one injection tells about. */
const MAX_INSTANCES = 1_000

/** The fields of {@link InjectionInstance}. */
const injectionInstance = {
  id: text,
  service: v.optional(text),
  labels: v.optional(v.record(text, text)),
  status: text,
  why: v.optional(text),
  hits: number,
  appliedAt: v.optional(number),
  endedAt: v.optional(number),
  evidence: v.array(record),
} satisfies FieldsOf<InjectionInstance>

/** The fields of {@link InjectionInstances}. */
const injectionInstances = {
  counts: v.record(text, number),
  list: v.pipe(v.array(v.looseObject(injectionInstance)), v.maxLength(MAX_INSTANCES)),
} satisfies FieldsOf<InjectionInstances>

/** The most operations and scopes of one injection. */
const MAX_OBSERVED = 1_000

/** The fields of {@link ObservedCalls}. */
const observedCalls = {
  operation: text,
  scope: v.optional(text),
  seen: number,
  affected: number,
} satisfies FieldsOf<ObservedCalls>

/** The fields of {@link Observed}. */
const observed = {
  calls: v.pipe(v.array(v.looseObject(observedCalls)), v.maxLength(MAX_OBSERVED)),
  unlisted: number,
} satisfies FieldsOf<Observed>

/** The fields of {@link InjectionState}. They define the schema and the keys that are sent. */
const injectionState = {
  id: text,
  fault: text,
  kind,
  target: text,
  options: record,
  seed: text,
  // Only of an injection for a scope.
  scope: v.optional(text),
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
  // Only of an injection with `observe`.
  observed: v.optional(v.looseObject(observed)),
  // Only of a controller whose injections span several processes.
  instances: v.optional(v.looseObject(injectionInstances)),
} satisfies FieldsOf<InjectionState>

export const injectionStateSchema = v.looseObject(injectionState)

export const stopReportSchema = v.looseObject({ stopped: v.array(injectionStateSchema) })

const journalEntrySchema = v.variant('type', [
  v.looseObject({
    type: v.picklist(['armed', 'landed', 'renewed', 'ended']),
    at: number,
    injection: injectionStateSchema,
  }),
  v.looseObject({
    type: v.literal('hit'),
    at: number,
    id: text,
    operation: text,
    call: number,
    scope: v.optional(text),
  }),
  v.looseObject({ type: v.literal('warning'), at: number, id: text, message: text }),
])

/** A message of the server on an event stream. */
export const eventMessageSchema = v.variant('type', [
  v.looseObject({
    type: v.literal('hello'),
    connection: text,
    info: controllerInfoSchema,
    // Only of a stream that resumes: the number of messages that are lost, `null` if it is not known.
    missed: v.optional(v.nullable(number)),
  }),
  v.looseObject({ type: v.literal('entry'), entry: journalEntrySchema }),
  v.looseObject({ type: v.literal('app-event'), event: v.looseObject({ topic: text, at: number, data: record }) }),
  v.looseObject({ type: v.literal('dropped'), hits: number }),
])

/** The body of an error: a problem (RFC 9457), with the code and the message of the error. */
export const errorBodySchema = v.looseObject({
  error: v.looseObject({ code: v.pipe(text, v.regex(/^CHAOS_[A-Z_]{1,60}$/)), message: text }),
  // Absent in apps with an older version.
  type: v.optional(text),
  title: v.optional(text),
  status: v.optional(number),
  detail: v.optional(text),
  field: v.optional(text),
  expected: v.optional(text),
  hint: v.optional(text),
})

/** The fields of {@link AuditEntry}. */
const auditEntry = {
  at: number,
  operation: text,
  by: v.optional(text),
  actor: v.optional(text),
  peer: v.optional(text),
  request: v.optional(record),
  ids: v.optional(v.array(text)),
  status: number,
  code: v.optional(text),
  outcome: v.optional(text),
  isRepeated: v.optional(v.boolean()),
  unlisted: v.optional(number),
} satisfies FieldsOf<AuditEntry>

export const auditEntrySchema = v.looseObject(auditEntry)

/** An entry of the audit log as plain data. */
export function plainAuditEntry(entry: OnTheWire<AuditEntry>): AuditEntry {
  return Object.freeze(
    Object.fromEntries(Object.entries(picked(auditEntry, entry)).filter(([, value]) => value !== undefined)),
  ) as unknown as AuditEntry
}

/** The longest name in a request, in characters. */
const MAX_NAME = 200
const shortText = (description: string) => option.text(description, MAX_NAME)

const injection = {
  target: shortText('The name of the target to break.'),
  fault: shortText('The name of the fault, or the part after the slash if that is unambiguous.'),
  options: option.optional(option.object('The options of the fault.')),
  ...portableInjectOptions,
}
const connection = option.optional(
  shortText(
    'The id from the hello of an open event stream. The injection ends when that stream does. Default: only the lease ends it.',
  ),
)

/** The body of `POST /injections` and of `POST /checks`. */
export const injectionRequestSchema = optionsSchema({ ...injection, connection })

/** One injection of `POST /batches`. */
export const batchedInjectionSchema = optionsSchema(injection)

/** The most injections of a batch. */
const MAX_BATCH = 100

/** The body of `POST /batches`. */
export const batchRequestSchema = optionsSchema({
  injections: option.list(batchedInjectionSchema, MAX_BATCH, 'injections'),
  connection,
})

/** The body of `POST /batches`, whose injections are checked one by one. */
export const batchEnvelopeSchema = optionsSchema({
  injections: option.list(option.object('An injection.'), MAX_BATCH, 'injections'),
  connection,
})

/** The answer of `POST /batches`. */
export const batchSchema = v.looseObject({
  injections: v.pipe(v.array(injectionStateSchema), v.maxLength(MAX_BATCH)),
})

/** The body of `POST /injections/:id/renewals`. */
export const renewalSchema = optionsSchema({
  leaseMs: option.number('How long the lease lasts from now, in ms.', 1, MAX_TIMER_MS, 'a number of ms'),
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
  if ('injection' in entry) return { type: entry.type, at: entry.at, injection: plainState(entry.injection) }
  if (entry.type === 'warning') return entry
  const { scope, ...hit } = entry
  return scope === undefined ? hit : { ...hit, scope }
}

/** A journal entry as it arrives. */
type OnTheWireEntry =
  | {
      readonly type: 'armed' | 'landed' | 'renewed' | 'ended'
      readonly at: number
      readonly injection: OnTheWire<InjectionState>
    }
  | Extract<JournalEntry, { readonly type: 'warning' }>
  | (Omit<Extract<JournalEntry, { readonly type: 'hit' }>, 'scope'> & { readonly scope?: string | undefined })
