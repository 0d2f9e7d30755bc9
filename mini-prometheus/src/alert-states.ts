import type { Rule } from './rules.js'
import { keyOf, type SeriesStore } from './series.js'

/** The state of an alert. Times are in ms since the epoch. */
export interface AlertState {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing' | 'resolved'
  readonly value: number
  readonly activeAt: number
  readonly firedAt: number | undefined
  readonly resolvedAt: number | undefined
}

/** The result of a rule's last evaluation. */
export interface RuleHealth {
  readonly health: 'unknown' | 'ok' | 'err'
  readonly lastError: string | undefined
  /** When the rule was last evaluated, in ms since the epoch; `undefined`: never. */
  readonly lastEvaluation: number | undefined
  readonly tookMs: number
}

/** The most resolved alerts that are kept. */
const MAX_RESOLVED = 100

/**
 * Evaluates rules and keeps the state of their alerts. As in Prometheus, a rule that fails leaves its alerts unchanged.
 */
export class AlertStates {
  readonly #rules: readonly Rule[]
  readonly #active: ReadonlyMap<Rule, Map<string, AlertState>>
  readonly #health = new Map<Rule, RuleHealth>()
  readonly #resolved: AlertState[] = []

  constructor(rules: readonly Rule[]) {
    this.#rules = rules
    this.#active = new Map(rules.map((rule) => [rule, new Map<string, AlertState>()]))
  }

  /** Pending and firing alerts. */
  get active(): readonly AlertState[] {
    return this.#rules.flatMap((rule) => this.activeOf(rule))
  }

  /** Resolved alerts, oldest first; the last 100. */
  get resolved(): readonly AlertState[] {
    return this.#resolved
  }

  /** Pending and firing alerts of one rule. */
  activeOf(rule: Rule): readonly AlertState[] {
    return [...(this.#active.get(rule)?.values() ?? [])]
  }

  healthOf(rule: Rule): RuleHealth {
    return this.#health.get(rule) ?? { health: 'unknown', lastError: undefined, lastEvaluation: undefined, tookMs: 0 }
  }

  /**
   * Evaluates every rule once. A failing rule does not affect the others.
   *
   * @returns Alerts that began to fire or resolved.
   */
  evaluate(store: SeriesStore, at: number): readonly AlertState[] {
    return this.#rules.flatMap((rule) => {
      const startedAt = performance.now()
      const note = (health: 'ok' | 'err', lastError?: string): void =>
        void this.#health.set(rule, { health, lastError, lastEvaluation: at, tookMs: performance.now() - startedAt })
      try {
        const changes = this.#evaluateRule(rule, store, at)
        note('ok')
        return changes
      } catch (error) {
        note('err', error instanceof Error ? error.message : String(error))
        return []
      }
    })
  }

  #evaluateRule(rule: Rule, store: SeriesStore, at: number): readonly AlertState[] {
    const result = rule.expression(store, at)
    const active = this.#active.get(rule) ?? new Map<string, AlertState>()
    const found = new Map<string, AlertState>()
    // A scalar result cannot fire: each alert is an element of a vector.
    for (const { labels: given, value } of typeof result === 'number' ? [] : result) {
      const { __name__: _name, ...rest } = given
      const labels = { ...rest, ...rule.labels, alertname: rule.name }
      const key = keyOf(labels)
      if (found.has(key)) throw new Error('The result has two elements with the same labels.')
      const before = active.get(key)
      const activeAt = before?.activeAt ?? at
      const isFiring = before?.state === 'firing' || at - activeAt >= rule.forMs
      found.set(key, {
        name: rule.name,
        labels,
        annotations: rule.annotations,
        state: isFiring ? 'firing' : 'pending',
        value,
        activeAt,
        firedAt: before?.firedAt ?? (isFiring ? at : undefined),
        resolvedAt: undefined,
      })
    }
    const changes = [...found]
      .filter(([key, { state }]) => state === 'firing' && active.get(key)?.state !== 'firing')
      .map(([, alert]) => alert)
    for (const [key, alert] of active) {
      if (found.has(key) || alert.state !== 'firing') continue
      changes.push({ ...alert, state: 'resolved', resolvedAt: at })
    }
    active.clear()
    for (const [key, alert] of found) active.set(key, alert)
    this.#resolved.push(...changes.filter(({ state }) => state === 'resolved'))
    this.#resolved.splice(0, this.#resolved.length - MAX_RESOLVED)
    return changes
  }
}
