import type { Clock } from '@chaos/core'
import * as v from 'valibot'
import { named, described, spanMs } from '../shared/schemas.js'
import type { Tolerance } from './tolerance.js'

/** The result of one measurement. */
export interface Measurement {
  readonly value: number
  /** `idle`: nothing happened in a series that exists, so the value is the probe's `emptyIs`. */
  readonly quality: 'measured' | 'idle'
  /**
   * The time of the data by its source's clock, in ms since the epoch; `undefined` if the source does not provide it.
   */
  readonly dataAt?: number
}

/** Takes one measurement. @throws Error when there is no data */
export type Measure = (signal: AbortSignal) => Promise<Measurement>

/** The fields of every probe, whatever its type. */
interface AnyProbe {
  readonly name: string
  readonly type: string
  readonly unit?: string | undefined
  readonly timeoutMs?: number | undefined
  readonly tolerance?: Tolerance | undefined
}

/** One problem of a probe, and its path within the probe. */
export interface ProbeProblem {
  readonly path: readonly string[]
  readonly message: string
}

/**
 * A type of probe: its schema and its reader. The optional members describe the type's data to the run; each has a
 * default.
 */
export interface ProbeType<
  Type extends string = string,
  Schema extends v.GenericSchema<unknown, AnyProbe> = v.GenericSchema<unknown, AnyProbe>,
> {
  readonly type: Type
  /** Validates probes of this type. The JSON Schema of experiments and the TypeScript types are generated from it. */
  readonly schema: Schema
  /** Creates the measuring function of a probe. It may keep earlier readings. */
  read(probe: v.InferOutput<Schema>, clock: Clock): Measure
  /** Problems of a probe that a schema cannot express. */
  problems?(probe: v.InferOutput<Schema>): readonly ProbeProblem[]
  /**
   * Checks, before the method, that find out why a probe can never be read. `undefined`: it can be read, or unknown.
   */
  refusals?(probe: v.InferOutput<Schema>): readonly ((signal: AbortSignal) => Promise<string | undefined>)[]
  /** The address that the probe reads. Default: none; the probe reads in this process. */
  origin?(probe: v.InferOutput<Schema>): string
  /**
   * Whether the probe queries a monitoring system instead of the system under test. A failed reading then says nothing
   * about the system under test. Default: it reads the system under test.
   */
  readonly asksMonitoring?: true
  /** The oldest that the data may be, in ms. Default: unknown. */
  maxAgeMs?(probe: v.InferOutput<Schema>): number | undefined
  /** Whether a reading needs an earlier reading. Default: it does not. */
  looksBack?(probe: v.InferOutput<Schema>): boolean
  /** Whether a measurement needs events, as a share or a quantile does. Default: it does not. */
  needsEvents?(probe: v.InferOutput<Schema>): boolean
}

/** The schema fields that every probe type shares. Each type adds `type` and `tolerance`. */
export const probeFields = {
  name: named('What the probe measures. Unique in the experiment.'),
  unit: v.optional(described('Unit of the value, for messages and reports: ms, Hz. Default: none.')),
  timeoutMs: v.optional(
    spanMs('Longest wait for a reading, in ms. A later answer counts as no data, which is never a pass. Default 2000.'),
  ),
}

/** Declares a probe type. */
export function probeType<Type extends string, Schema extends v.GenericSchema<unknown, AnyProbe>>(
  type: ProbeType<Type, Schema>,
): ProbeType<Type, Schema> {
  return type
}

/** A measurement of a number. */
export const measured = (value: number): Measurement => ({ value, quality: 'measured' })

/** Converts a value to a number: `true` is 1, `false` is 0. @throws Error for any other value */
export function asNumber(value: unknown, what: string): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  throw new Error(
    `expected a number at ${what}, got ${value === null ? 'null' : Number.isNaN(value) ? 'NaN' : typeof value}`,
  )
}
