/** An alert that is active now. */
export interface ActiveAlert {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
  /** When its condition began, in ms since the epoch. */
  readonly activeAt?: number
  /** Whether it is kept from everybody: silenced or inhibited. */
  readonly isSilenced?: boolean
}

/** What is known of an alert's rule. */
export interface AlertRule {
  readonly name: string
  /** How long the condition must last, in ms. */
  readonly forMs: number
  /** How often it is looked at, in ms. */
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
  /** How often data is gathered, in ms. */
  readonly scrapeIntervalMs?: number
  /** How long the first notification of a group is held back, in ms. */
  readonly groupWaitMs?: number
}

/** Signs of life of a monitoring. Its times are by its own clock, in ms since the epoch. */
export interface MonitoringHealth {
  /** What time it is there, off by at most `nowErrorMs`. */
  readonly now: number | undefined
  readonly nowErrorMs: number
  /** When its alert rules were last evaluated: the oldest, where there are several groups. */
  readonly evaluatedAt: number | undefined
  /** When its targets were last scraped: the oldest. */
  readonly scrapedAt: number | undefined
  /** What it reports as wrong with itself, in words. */
  readonly problems: readonly string[]
}

/**
 * Reads alerts from wherever they live. Each method rejects when the monitoring cannot be reached; `signal` aborts when the answer is no longer
 * wanted.
 */
export interface AlertReader {
  /** Where it reads, for messages and reports. */
  readonly source: string
  /** The alerts that are pending or firing now. */
  read(signal?: AbortSignal): Promise<readonly ActiveAlert[]>
  /** The rules, where the source knows them. */
  rules?(signal?: AbortSignal): Promise<readonly AlertRule[]>
  /** What is known of its timing, where it knows any. */
  timing?(signal?: AbortSignal): Promise<AlertTiming>
  /** Signs of life, where the source gives any. Without one from some source, alerts cannot be trusted to have been evaluated. */
  health?(signal?: AbortSignal): Promise<MonitoringHealth>
}
