import type { Rule } from './rules.js'
import { keyOf, type SeriesStore } from './series.js'

/** An alert as it stands, or stood. Times are in ms since the epoch. */
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

/** Resolved alerts that are remembered. */
const MAX_RESOLVED = 100

/** Evaluates rules, and knows what is pending, firing and resolved. */
export class AlertStates {
  readonly #rules: readonly Rule[]
  readonly #active = new Map<string, AlertState>()
  readonly #resolved: AlertState[] = []

  constructor(rules: readonly Rule[]) {
    this.#rules = rules
  }

  /** Pending and firing alerts. */
  get active(): readonly AlertState[] {
    return [...this.#active.values()]
  }

  /** Alerts that fired and are over, oldest first. */
  get resolved(): readonly AlertState[] {
    return this.#resolved
  }

  /** Evaluates every rule once. @returns What began to fire, and what resolved. */
  evaluate(store: SeriesStore, at: number): readonly AlertState[] {
    const changes: AlertState[] = []
    const seen = new Set<string>()
    for (const rule of this.#rules) {
      const result = rule.expression(store, at)
      // A number alone cannot fire: an alert is an element of a vector.
      for (const { labels: found, value } of typeof result === 'number' ? [] : result) {
        const { __name__: _name, ...rest } = found
        const labels = { ...rest, ...rule.labels, alertname: rule.name }
        const key = keyOf(labels)
        seen.add(key)
        const before = this.#active.get(key)
        const activeAt = before?.activeAt ?? at
        const isFiring = at - activeAt >= rule.forMs
        const alert: AlertState = {
          name: rule.name,
          labels,
          annotations: rule.annotations,
          state: isFiring ? 'firing' : 'pending',
          value,
          activeAt,
          firedAt: before?.firedAt ?? (isFiring ? at : undefined),
          resolvedAt: undefined,
        }
        this.#active.set(key, alert)
        if (isFiring && before?.state !== 'firing') changes.push(alert)
      }
    }
    for (const [key, alert] of this.#active) {
      if (seen.has(key)) continue
      this.#active.delete(key)
      if (alert.state !== 'firing') continue
      const resolved: AlertState = { ...alert, state: 'resolved', resolvedAt: at }
      this.#resolved.push(resolved)
      this.#resolved.splice(0, this.#resolved.length - MAX_RESOLVED)
      changes.push(resolved)
    }
    return changes
  }
}
