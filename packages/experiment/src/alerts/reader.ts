/** An alert that is active now. */
export interface ActiveAlert {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
  /** When its condition began, in ms since the epoch. */
  readonly activeAt?: number
  /** Whether it is silenced or inhibited, so that nobody is notified. */
  readonly isSilenced?: boolean
}

/** What is known of an alert's rule. */
export interface AlertRule {
  readonly name: string
  /** How long the condition must last, in ms. */
  readonly forMs: number
  /** How often the rule is evaluated, in ms. */
  readonly intervalMs: number
  /** How far back it looks, in ms; 0 without a range. */
  readonly rangeMs: number
  readonly isHealthy: boolean
  /** Labels that the rule sets, where the source tells: texts, or templates with `{{ }}`. */
  readonly labels?: Readonly<Record<string, string>>
  /** How long it goes on firing once its condition is clear, in ms. Default 0. */
  readonly keepFiringForMs?: number
  /** What the monitoring says is wrong with it. */
  readonly problem?: string
}

/** What stands between a condition and its alert, apart from the rule. */
export interface AlertTiming {
  /** How often data is gathered, in ms; what comes less often than every two minutes left out, if there is more. */
  readonly scrapeIntervalMs?: number
  /** How often rules are evaluated, in ms, where its rules do not say. */
  readonly evaluationIntervalMs?: number
  /** How long the first notification of a group is held back, in ms. */
  readonly groupWaitMs?: number
}

/**
 * Whether the monitoring is alive, and what time it is there. A monitoring that answers and no longer evaluates shows no alert, ever: silence counts
 * only while `evaluatedAt` and `scrapedAt` move on. Both are compared with `now`, which is on the same clock.
 */
export interface MonitoringHealth {
  /** What the monitoring's own clock shows at the moment at which this was there, in ms since the epoch; `undefined` where it does not tell. */
  readonly now: number | undefined
  /** How far `now` may be off, in ms, either way. */
  readonly nowErrorMs: number
  /**
   * When alerting rules were last evaluated, by the monitoring's clock, in ms since the epoch: of all groups with alerting rules that are evaluated
   * every two minutes or more often, if there is any, the one for which that is longest ago. 0: never. `undefined`: it cannot be told, which proves nothing.
   */
  readonly evaluatedAt: number | undefined
  /** When data was last gathered, in the same way: of all targets, the one for which that is longest ago. */
  readonly scrapedAt: number | undefined
  /** Whether it says that no target could be scraped. `undefined`: it does not tell. */
  readonly isBlind?: boolean
  /** What the monitoring says is wrong, in words: targets that are down, rules with errors. At most 20. */
  readonly problems: readonly string[]
}

/** The longest interval, in ms, for whose next turn a run waits: one group of rules that is looked at once an hour must not make it wait for hours. */
export const MAX_AWAITED_MS = 120_000

/** The entries with an interval short enough to wait for; all of them if none is. A slow entry would hide for hours that the others have stopped. */
export function awaited<T extends { readonly intervalMs: number }>(all: readonly T[]): readonly T[] {
  const often = all.filter(({ intervalMs }) => intervalMs <= MAX_AWAITED_MS)
  return often.length === 0 ? all : often
}

/** Most problems that a reader reports. */
export const MAX_PROBLEMS = 20

/**
 * Reads alerts from wherever they live. Each method rejects when the monitoring cannot be reached; `signal` aborts when the answer is no longer
 * wanted.
 */
export interface AlertReader {
  /** Where it reads, for messages and reports. */
  readonly source: string
  /**
   * Whether alerts are sent here, as to an Alertmanager: an alert that fires elsewhere and never shows here reaches nobody. Default: this source
   * evaluates rules itself.
   */
  readonly isReceiver?: boolean
  /** The alerts that are pending or firing now. */
  read(signal?: AbortSignal): Promise<readonly ActiveAlert[]>
  /** The rules, where the source knows them. */
  rules?(signal?: AbortSignal): Promise<readonly AlertRule[]>
  /** What is known of its timing, where it knows any. */
  timing?(signal?: AbortSignal): Promise<AlertTiming>
  /** Signs of life, where the source gives any. Without one from some source, alerts cannot be trusted to have been evaluated. */
  health?(signal?: AbortSignal): Promise<MonitoringHealth>
}
