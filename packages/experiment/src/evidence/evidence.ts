import type { InjectionState } from '@chaos/core'
import type { Notification } from '../alerts/webhook-sink.js'
import type { LoadReading } from '../load/report.js'
import type { Probe } from '../probes/probe-types.js'
import type { Sample } from '../probes/read.js'

/** The readings of one probe, starting with the readings that met the gate. */
export interface Curve {
  readonly probe: string
  readonly source: Probe['type']
  /** The address that is read; `undefined` for a function. */
  readonly origin: string | undefined
  readonly unit: string | undefined
  /** Bounds as text for messages, and as numbers for a chart. */
  readonly bounds: string
  readonly thresholds: readonly number[]
  /**
   * The longest time between two readings that counts as watched, in ms. A longer time is a gap, which is not health.
   */
  readonly maxGapMs: number
  /**
   * The oldest that its data may be, in ms. `undefined`: limited by the scrapes of its monitoring system, or unknown.
   */
  readonly maxAgeMs: number | undefined
  readonly samples: readonly Sample[]
}

/** A period in which an alert was pending or firing. */
export interface AlertStretch {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
  /** The source that reported the alert. */
  readonly source: string
  /** When this state was first seen, in ms since the epoch. The state began at most `fromErrorMs` earlier. */
  readonly from: number
  readonly fromErrorMs: number
  /**
   * When this state was first seen to be over, at most `toErrorMs` late. `undefined`: it lasted until the run ended.
   */
  readonly to: number | undefined
  readonly toErrorMs: number
  /** When the condition of the alert began, by the clock of the monitoring system. */
  readonly activeAt: number | undefined
  /** Whether every reading showed the alert as silenced or inhibited. */
  readonly isSilenced: boolean
}

/** How reliably the alerts of one source could be read. */
export interface AlertReadings {
  readonly source: string
  /** Whether the source is a receiver of alerts. An alert that must fire must reach it too. */
  readonly isReceiver?: boolean
  readonly succeeded: number
  readonly failed: number
  /** The longest time without a reading, in ms. */
  readonly longestGapMs: number
  /** When the last failed reading failed, in ms since the epoch; `undefined` if none failed. */
  readonly lastFailedAt?: number | undefined
  /** Whether the last reading failed. Default false. */
  readonly isLastFailed?: boolean
  /** Why the last failed reading failed; `undefined` if none failed. */
  readonly problem: string | undefined
}

/** How far another clock is ahead of this process's clock, measured by one request. */
export interface ClockReading {
  /** When the answer arrived, in ms since the epoch. */
  readonly at: number
  /** The other clock's time minus this clock's time, in ms. Its error is at most `errorMs` in either direction. */
  readonly offsetMs: number
  readonly errorMs: number
}

/** One check of whether the monitoring system works. Times are by its own clock. */
export interface MonitorReading {
  readonly askedAt: number
  readonly at: number
  /** When the rules were last evaluated. `undefined`: unknown, or the reading failed. */
  readonly evaluatedAt: number | undefined
  /** When the targets were last scraped. `undefined`: unknown, or the reading failed. */
  readonly scrapedAt: number | undefined
  /** Whether it reported that every scrape failed. */
  readonly isBlind: boolean
  readonly problem: string | undefined
}

/** The signs of life of one monitoring system, which alerts or PromQL probes are read from. */
export interface Monitor {
  readonly source: string
  /** The longest evaluation interval and the longest scrape interval, in ms, as far as the source reports them. */
  readonly ruleIntervalMs: number
  readonly scrapeIntervalMs: number
  readonly readings: readonly MonitorReading[]
  readonly clock: readonly ClockReading[]
}

/** How late the timers of this process were, in ms. */
export interface OwnReading {
  readonly at: number
  readonly lateMs: number
}

/** A moment of the run and its error. */
export interface Mark {
  /** In ms since the epoch, by the clock of the process that ran the experiment. */
  readonly at: number
  /** The true moment is at most this many ms before `at`. */
  readonly errorMs: number
}

/**
 * t0 the fault landed; t1 its condition was true; t2 an alert from `mustFire` fired; t3 its notification arrived; t4
 * the fault ended (for an instant fault: t0); t5 the condition was clear and the steady state was back; t6 every alert
 * was gone; t7 the steady state had held for `holdForMs`.
 */
export type MarkName = 't0' | 't1' | 't2' | 't3' | 't4' | 't5' | 't6' | 't7'

/** The marks that the evidence supports. */
export type Marks = Readonly<Partial<Record<MarkName, Mark>>>

/**
 * An injection of the run. Times in its state are by the clock of the process it was injected into. The times declared
 * here are by the clock of the process that ran the experiment.
 */
export interface RunInjection extends InjectionState {
  /** When this run requested the injection. */
  readonly askedAt: number
  /** When this run first saw that the injection had landed. */
  readonly landedSeenAt: number | undefined
  /** When this run last saw the injection in force. */
  readonly activeSeenAt: number | undefined
  /** When this run first saw that the injection had ended. */
  readonly endedSeenAt: number | undefined
}

/** A single reading of an `afterwards` probe. */
export interface Reading {
  readonly name: string
  readonly bounds: string
  readonly sample: Sample
}

/** Everything that a run observed, without conclusions. `judge` derives the verdict from this alone. */
export interface Evidence {
  readonly startedAt: number
  readonly endedAt: number
  /** When the run stopped reading probes, alerts, load and clocks. */
  readonly watchedUntil: number
  /** The pause between two readings, in ms. */
  readonly pollMs: number
  /** Whether the steady state held before the method, since when, and otherwise why not. */
  readonly gate: { readonly isMet: boolean; readonly from: number; readonly problem?: string }
  /** When the method began. Earlier readings belong to the gate. `undefined`: the method never began. */
  readonly methodAt: number | undefined
  /** Whether every step of the method was completed. */
  readonly isMethodDone: boolean
  /** Names of the alerts that were active before the method and should not have been. */
  readonly firingBefore: readonly string[]
  /** Names of the alerts that have a rule. `undefined`: no source provides rules. */
  readonly rulesFound: readonly string[] | undefined
  /** Rules that the monitoring system reports as broken. */
  readonly brokenRules: readonly string[]
  /** The last states of this run's injections. */
  readonly injections: readonly RunInjection[]
  readonly curves: readonly Curve[]
  /** The readings of the guardrails. */
  readonly guards: readonly Curve[]
  readonly alerts: readonly AlertStretch[]
  /** One entry for each source of alerts. */
  readonly alertReadings: readonly AlertReadings[]
  /** One entry for each monitoring system that alerts or probes are read from. */
  readonly monitors: readonly Monitor[]
  /** Readings of the clock of the process in which faults were injected. */
  readonly appClock: readonly ClockReading[]
  /** The notifications that arrived at the webhook. `undefined`: the run had no webhook. */
  readonly notifications: readonly Notification[] | undefined
  /** The reports of the load. `undefined`: the experiment declares no load. */
  readonly load:
    | {
        readonly readings: readonly LoadReading[]
        /** The report after the load had verified every write. */ readonly final: LoadReading | undefined
      }
    | undefined
  readonly own: readonly OwnReading[]
  readonly afterwards: readonly Reading[]
  /** Faults that could not be injected, each with the reason. */
  readonly failures: readonly string[]
  /** Injections and rollback actions that failed to roll back, each with the reason. */
  readonly rollbackFailures: readonly string[]
  /** Why the run was aborted. `undefined`: it was not. */
  readonly brokenOff: string | undefined
  /**
   * How many values each part held when the run ended ({@link inventoryOf}). A lower count later means lost evidence.
   */
  readonly inventory: Readonly<Record<string, number>>
}

/** Counts the values in each part of the evidence. `undefined` is not counted, since JSON omits it. */
export function inventoryOf(
  evidence: Readonly<Partial<Record<keyof Evidence, unknown>>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(evidence).flatMap(([name, part]) =>
      name === 'inventory' || part === undefined ? [] : [[name, valuesIn(part)]],
    ),
  )
}

function valuesIn(value: unknown): number {
  if (value === undefined) return 0
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, one) => sum + valuesIn(one), 1)
}
