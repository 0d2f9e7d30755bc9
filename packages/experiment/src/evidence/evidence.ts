import type { InjectionState } from '@chaos/core'
import type { Notification } from '../alerts/webhook-sink.js'
import type { LoadReading } from '../load/report.js'
import type { Probe } from '../probes/probe-types.js'
import type { Sample } from '../probes/read.js'

/** The readings of one probe, from the stretch that met the gate on. */
export interface Curve {
  readonly probe: string
  readonly source: Probe['type']
  /** Where it is read; `undefined` for a function. */
  readonly origin: string | undefined
  readonly unit: string | undefined
  /** Bounds in words, and as numbers for a chart. */
  readonly bounds: string
  readonly thresholds: readonly number[]
  /** The longest time without a reading that still counts as watched, in ms. A longer one is a gap, never health. */
  readonly maxGapMs: number
  /** How old its data may be, in ms; `undefined`: as old as the scrapes of its monitoring, or there is no telling. */
  readonly maxAgeMs: number | undefined
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
  /** When its condition began, by the clock of the monitoring. */
  readonly activeAt: number | undefined
  /** Whether it was kept from everybody in every reading. */
  readonly isSilenced: boolean
}

/** How well alerts could be read. */
export interface AlertReadings {
  readonly source: string
  /** Whether alerts are sent there: what must fire must be seen there too. */
  readonly isReceiver?: boolean
  readonly succeeded: number
  readonly failed: number
  /** The longest time without a reading, in ms. */
  readonly longestGapMs: number
  /** Why the last failed reading failed. */
  readonly problem: string | undefined
}

/** How far another clock is ahead of this process's clock, measured by one question and its answer. */
export interface ClockReading {
  /** When the answer was there, in ms since the epoch. */
  readonly at: number
  /** Their time minus ours, in ms; off by at most `errorMs` either way. */
  readonly offsetMs: number
  readonly errorMs: number
}

/** One look at whether the monitoring works. Times are by the clock of the monitoring. */
export interface MonitorReading {
  readonly askedAt: number
  readonly at: number
  /** When the rules were last evaluated; `undefined`: the source does not say, or could not be read. */
  readonly evaluatedAt: number | undefined
  /** When the targets were last scraped; `undefined`: likewise. */
  readonly scrapedAt: number | undefined
  /** Whether it said that no target could be scraped. */
  readonly isBlind: boolean
  readonly problem: string | undefined
}

/** The signs of life of one source of alerts or of PromQL readings. */
export interface Monitor {
  readonly source: string
  /** How often rules are evaluated and targets scraped, in ms, as far as the source says; the longest. */
  readonly ruleIntervalMs: number
  readonly scrapeIntervalMs: number
  readonly readings: readonly MonitorReading[]
  readonly clock: readonly ClockReading[]
}

/** How late this process itself was, in ms: what it planned against when it came to it. */
export interface OwnReading {
  readonly at: number
  readonly lateMs: number
}

/** A moment of the run, with how far it may be off. */
export interface Mark {
  /** In ms since the epoch, by the clock of the process that ran the experiment. */
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

/** An injection of the run. Times in its state are by the clock of its own process; the others are by the clock of the process that ran the experiment. */
export interface RunInjection extends InjectionState {
  /** When this run asked for it. */
  readonly askedAt: number
  /** When it was first seen to have landed. */
  readonly landedSeenAt: number | undefined
  /** When it was last seen in force: it had not ended yet. */
  readonly activeSeenAt: number | undefined
  /** When it was first seen to have ended. */
  readonly endedSeenAt: number | undefined
}

/** A single reading at the end. */
export interface Reading {
  readonly name: string
  readonly bounds: string
  readonly sample: Sample
}

/** Everything that was seen during a run, and nothing that was concluded from it. Verdicts are made from this, and from nothing else. */
export interface Evidence {
  readonly startedAt: number
  readonly endedAt: number
  /** Until when probes, alerts, load and clocks were read. */
  readonly watchedUntil: number
  /** Pause between two readings, in ms. */
  readonly pollMs: number
  /** Whether the steady state held before anything was broken, and since when; why not. */
  readonly gate: { readonly isMet: boolean; readonly from: number; readonly problem?: string }
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
  /** Readings of the guardrails. */
  readonly guards: readonly Curve[]
  readonly alerts: readonly AlertStretch[]
  /** One entry for each source of alerts. */
  readonly alertReadings: readonly AlertReadings[]
  /** One entry for each monitoring that alerts or probes read from. */
  readonly monitors: readonly Monitor[]
  /** The clock of the process in which faults were injected. */
  readonly appClock: readonly ClockReading[]
  /** What arrived at the webhook; `undefined`: there was none. */
  readonly notifications: readonly Notification[] | undefined
  /** What the load said of itself; `undefined`: the experiment declares no load. */
  readonly load:
    | {
        readonly readings: readonly LoadReading[]
        /** After it has looked for everything. */ readonly final: LoadReading | undefined
      }
    | undefined
  readonly own: readonly OwnReading[]
  readonly afterwards: readonly Reading[]
  /** Faults that could not be put in force. */
  readonly failures: readonly string[]
  /** What could not be taken back. */
  readonly rollbackFailures: readonly string[]
  /** Why the run was broken off, if it was. */
  readonly brokenOff: string | undefined
  /** How many values each part held when the run ended ({@link inventoryOf}): what is missing since then shows. */
  readonly inventory: Readonly<Record<string, number>>
}

/** How many values each part of the evidence holds. `undefined` counts as nothing, as in JSON. */
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
