import type { InjectionState } from '@chaos/core'
import type { Notification } from '../alerts/webhook-sink.js'
import type { Probe } from '../model/experiment.js'
import type { Sample } from '../probes/read.js'

/** A probe's readings over the run, from the stretch that met the gate on. */
export interface Curve {
  readonly probe: string
  readonly source: Probe['type']
  readonly unit: string | undefined
  /** Bounds in words, and as numbers for a chart. */
  readonly bounds: string
  readonly thresholds: readonly number[]
  readonly samples: readonly Sample[]
}

/** A stretch of time in which an alert was pending, or firing. */
export interface AlertStretch {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
  /** Where it was read. */
  readonly source: string
  /** First seen so, in ms since the epoch; the true moment lies at most `fromErrorMs` before. */
  readonly from: number
  readonly fromErrorMs: number
  /** First seen no longer so, at most `toErrorMs` late; `undefined`: it was still so at the end. */
  readonly to: number | undefined
  readonly toErrorMs: number
  /** When its condition began, as the monitoring says. */
  readonly activeAt: number | undefined
  /** Whether it was kept from everybody in every reading. */
  readonly isSilenced: boolean
}

/** How well alerts could be read. */
export interface AlertReadings {
  readonly source: string
  readonly succeeded: number
  readonly failed: number
  /** The longest time without a reading, in ms. */
  readonly longestGapMs: number
  /** Why the last failed reading failed. */
  readonly problem: string | undefined
}

/** A moment of the run, with how far it may be off. */
export interface Mark {
  /** In ms since the epoch. */
  readonly at: number
  /** The true moment lies at most so many ms before `at`. */
  readonly errorMs: number
}

/**
 * t0 the fault landed; t1 its condition was true; t2 an alert that must fire did; t3 its notification arrived; t4 the fault ended (when it landed,
 * for an instant one); t5 the condition was clear: the steady state was back; t6 every alert was gone; t7 the steady state had held.
 */
export type MarkName = 't0' | 't1' | 't2' | 't3' | 't4' | 't5' | 't6' | 't7'

/** The marks that could be made. */
export type Marks = Readonly<Partial<Record<MarkName, Mark>>>

/** An injection of the run. */
export interface RunInjection extends InjectionState {
  /** How far `landedAt` may be off, in ms: by how much it contradicts this process's own clock. */
  readonly landedErrorMs: number
}

/** A single reading at the end. */
export interface Reading {
  readonly name: string
  readonly bounds: string
  readonly sample: Sample
}

/** Everything that was seen during a run. Verdicts are made from this, and from nothing else. */
export interface Evidence {
  readonly startedAt: number
  readonly endedAt: number
  /** Whether the steady state held before anything was broken; why not. */
  readonly gate: { readonly isMet: boolean; readonly problem?: string }
  /** When the method began: what was read before belongs to the gate. `undefined`: it never did. */
  readonly methodAt: number | undefined
  /** Whether the method was done to its end. */
  readonly isMethodDone: boolean
  /** Alerts that were active before anything was broken and should not have been. */
  readonly firingBefore: readonly string[]
  /** Names of the alerts that have a rule; `undefined` where no source tells. */
  readonly rulesFound: readonly string[] | undefined
  /** Rules that the monitoring itself reports as broken. */
  readonly brokenRules: readonly string[]
  /** Last states of this run's injections. */
  readonly injections: readonly RunInjection[]
  readonly curves: readonly Curve[]
  readonly alerts: readonly AlertStretch[]
  /** One entry for each source of alerts. */
  readonly alertReadings: readonly AlertReadings[]
  /** What arrived at the webhook; `undefined`: there was none. */
  readonly notifications: readonly Notification[] | undefined
  readonly marks: Marks
  /** Names of the probes that left their bounds once the method had begun. */
  readonly breached: readonly string[]
  /** Whether the probes named for it held again while the fault was in force, and since when; `undefined`: not asked for. */
  readonly recoveredDuringFault: { readonly isMet: boolean; readonly afterMs: number | undefined } | undefined
  readonly afterwards: readonly Reading[]
  readonly guardrail: { readonly name: string; readonly value: number | undefined; readonly bounds: string } | undefined
  /** Faults that could not be put in force. */
  readonly failures: readonly string[]
  /** What could not be taken back. */
  readonly rollbackFailures: readonly string[]
  /** Why the run was broken off, if it was. */
  readonly brokenOff: string | undefined
  /** Why the machine or the load cannot be trusted, if so. */
  readonly untrusted: string | undefined
}
