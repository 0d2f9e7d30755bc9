/** An alert that is active now. */
export interface ActiveAlert {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
  /** When the condition of the alert began, in ms since the epoch. */
  readonly activeAt?: number
  /** Whether the alert is silenced or inhibited, so that no notification is sent. Default false. */
  readonly isSilenced?: boolean
}

/** An alerting rule, as far as its source describes it. */
export interface AlertRule {
  readonly name: string
  /** How long the condition must last before the alert fires (`for`), in ms. */
  readonly forMs: number
  /** How often the rule is evaluated, in ms. */
  readonly intervalMs: number
  /** The longest range in the rule's query, in ms; 0 without a range. */
  readonly rangeMs: number
  readonly isHealthy: boolean
  /** Labels that the rule sets, if the source provides them: texts, or templates with `{{ }}`. */
  readonly labels?: Readonly<Record<string, string>>
  /** How long the alert keeps firing after its condition has cleared (`keep_firing_for`), in ms. Default 0. */
  readonly keepFiringForMs?: number
  /** The error that the monitoring system reports for the rule. */
  readonly problem?: string
}

/** Delays between a condition and its alert that do not depend on the rule. */
export interface AlertTiming {
  /** The longest scrape interval, in ms. Intervals above two minutes are left out if a shorter one exists. */
  readonly scrapeIntervalMs?: number
  /** The evaluation interval, in ms, for sources whose rules do not state it. */
  readonly evaluationIntervalMs?: number
  /** How long the first notification of a group is held back (`group_wait`), in ms. */
  readonly groupWaitMs?: number
}

/**
 * Signs of life and the clock of a monitoring system. A monitoring system that answers but no longer evaluates rules
 * never shows an alert. The absence of alerts is evidence only while `evaluatedAt` and `scrapedAt` advance. Both are
 * compared with `now`, which is read from the same clock.
 */
export interface MonitoringHealth {
  /** The monitoring system's clock when the answer arrived, in ms since the epoch; `undefined` if it is unknown. */
  readonly now: number | undefined
  /** Error of `now`, in ms, in either direction. */
  readonly nowErrorMs: number
  /**
   * When alerting rules were last evaluated, by the monitoring system's clock, in ms since the epoch: the time of the
   * group whose last evaluation is the oldest. Groups with an interval above two minutes are left out if a shorter one
   * exists. 0: never. `undefined`: unknown, which proves nothing.
   */
  readonly evaluatedAt: number | undefined
  /**
   * When targets were last scraped: the time of the target whose last scrape is the oldest. Same rules as
   * `evaluatedAt`.
   */
  readonly scrapedAt: number | undefined
  /** Whether every scrape failed. `undefined`: unknown. */
  readonly isBlind?: boolean
  /** Problems that the monitoring system reports, such as targets that are down and rules with errors. At most 20. */
  readonly problems: readonly string[]
}

/**
 * The longest interval, in ms, for which a run waits. A rule group that is evaluated hourly must not delay a run by
 * hours.
 */
export const MAX_AWAITED_MS = 120_000

/**
 * The entries whose interval is short enough to wait for, or all entries if none is. Including a slow entry would hide
 * for hours that the others have stopped.
 */
export function awaited<T extends { readonly intervalMs: number }>(all: readonly T[]): readonly T[] {
  const often = all.filter(({ intervalMs }) => intervalMs <= MAX_AWAITED_MS)
  return often.length === 0 ? all : often
}

/** The most problems that a reader reports. */
export const MAX_PROBLEMS = 20

/**
 * Reads alerts from a monitoring system. Each method rejects when the system cannot be reached. `signal` aborts when
 * the run no longer needs the answer.
 */
export interface AlertReader {
  /** The address or name of the source, for messages and reports. */
  readonly source: string
  /**
   * Whether the source only receives alerts, as an Alertmanager does. An alert that fires elsewhere and never reaches a
   * receiver notifies no one. Default false: the source evaluates rules itself.
   */
  readonly isReceiver?: boolean
  /** The alerts that are pending or firing now. */
  read(signal?: AbortSignal): Promise<readonly ActiveAlert[]>
  /** The alerting rules, if the source provides them. */
  rules?(signal?: AbortSignal): Promise<readonly AlertRule[]>
  /** The intervals of the source, if it provides them. */
  timing?(signal?: AbortSignal): Promise<AlertTiming>
  /**
   * Signs of life, if the source provides them. A run in which no source proves that rules are evaluated is
   * inconclusive.
   */
  health?(signal?: AbortSignal): Promise<MonitoringHealth>
}
