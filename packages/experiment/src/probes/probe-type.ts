import type { Clock } from '@chaos/core'
import * as v from 'valibot'
import { named, described, spanMs } from '../shared/schemas.js'
import type { Tolerance } from './tolerance.js'

/** What a probe measured. */
export interface Measurement {
  readonly value: number
  /** `idle`: nothing happened in a series that is known to exist, and the probe's `emptyIs` stands for it. */
  readonly quality: 'measured' | 'idle'
  /** When the data is from, by the clock of its source, in ms since the epoch; `undefined` where the source does not tell. */
  readonly dataAt?: number
}

/** Takes one measurement. @throws An error in words when there is no data */
export type Measure = (signal: AbortSignal) => Promise<Measurement>

/** What every probe has, whatever its type. */
interface AnyProbe {
  readonly name: string
  readonly type: string
  readonly unit?: string | undefined
  readonly timeoutMs?: number | undefined
  readonly tolerance?: Tolerance | undefined
}

/** One thing that is wrong with a probe, and where in it. */
export interface ProbeProblem {
  readonly path: readonly string[]
  readonly message: string
}

/**
 * A type of probe: how it is written and how it is read. Everything else that a type may have tells the run what to expect of it; without them a probe
 * stands for itself.
 */
export interface ProbeType<
  Type extends string = string,
  Schema extends v.GenericSchema<unknown, AnyProbe> = v.GenericSchema<unknown, AnyProbe>,
> {
  readonly type: Type
  /** Checks probes of this type; the JSON Schema of experiments and the types of TypeScript are made from it. */
  readonly schema: Schema
  /** Makes what measures. It may keep what it needs to look back. */
  read(probe: v.InferOutput<Schema>, clock: Clock): Measure
  /** What is wrong with a probe and is more than a schema can say. */
  problems?(probe: v.InferOutput<Schema>): readonly ProbeProblem[]
  /** Questions that show before anything is broken why a probe can never be read. An answer of `undefined`: it can, or that is not known yet. */
  refusals?(probe: v.InferOutput<Schema>): readonly ((signal: AbortSignal) => Promise<string | undefined>)[]
  /** Where it reads. Default: in this process. */
  origin?(probe: v.InferOutput<Schema>): string
  /** Whether it asks a monitoring for what that has gathered: a failed reading then says nothing about the system. Default: it asks the system. */
  readonly asksMonitoring?: true
  /** How old its data may be, in ms. Default: there is no telling. */
  maxAgeMs?(probe: v.InferOutput<Schema>): number | undefined
  /** Whether a reading needs an earlier one to look back to. Default: it does not. */
  looksBack?(probe: v.InferOutput<Schema>): boolean
  /** Whether it measures nothing while nothing happens, as a share or a quantile does. Default: it always does. */
  needsEvents?(probe: v.InferOutput<Schema>): boolean
}

/** The fields that every type of probe has; `type` and `tolerance` are its own. */
export const probeFields = {
  name: named('What it measures; unique in the experiment.'),
  unit: v.optional(described('Unit of the value, for people: ms, Hz.')),
  timeoutMs: v.optional(
    spanMs('Longest wait for a reading; no answer within it is no data, never a pass. Default 2000.'),
  ),
}

/** Declares a type of probe. */
export function probeType<Type extends string, Schema extends v.GenericSchema<unknown, AnyProbe>>(
  type: ProbeType<Type, Schema>,
): ProbeType<Type, Schema> {
  return type
}

/** A number that was read. */
export const measured = (value: number): Measurement => ({ value, quality: 'measured' })

/** What was read as a number: `true` counts as 1, `false` as 0. @throws An error in words when it is none */
export function asNumber(value: unknown, what: string): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  throw new Error(
    `expected a number at ${what}, got ${value === null ? 'null' : Number.isNaN(value) ? 'NaN' : typeof value}`,
  )
}
