import type { SeenCall } from '../blast-radius/scoped.js'
import { keptName } from '../basics/text.js'
import type { Observed } from '../fault/observed.js'

/** The most operations and scopes that are listed. */
const MAX_LISTED = 1_000
/** The most characters of their names together. */
const MAX_CHARACTERS = 100_000

/** Counts the calls that an injection sees, by operation and scope. */
export class CallCounts {
  readonly #counts = new Map<string, { operation: string; scope: string | undefined; seen: number; affected: number }>()
  #characters = 0
  #unlisted = 0

  readonly see = (call: SeenCall): void => {
    const count = this.#countOf(call)
    if (count === undefined) this.#unlisted += 1
    else count.seen += 1
  }

  readonly affect = (call: SeenCall): void => {
    const count = this.#countOf(call)
    if (count !== undefined) count.affected += 1
  }

  #countOf({ operation, scope }: SeenCall): { seen: number; affected: number } | undefined {
    const name = keptName(operation)
    const key = `${scope === undefined ? '' : `=${scope.path}`}\0${name}`
    const known = this.#counts.get(key)
    if (known !== undefined) return known
    if (this.#counts.size >= MAX_LISTED || this.#characters + key.length > MAX_CHARACTERS) return undefined
    this.#characters += key.length
    const count = { operation: name, scope: scope?.path, seen: 0, affected: 0 }
    this.#counts.set(key, count)
    return count
  }

  snapshot(): Observed {
    const calls = [...this.#counts.values()].map(({ scope, ...count }) => ({
      ...count,
      ...(scope !== undefined && { scope }),
    }))
    return { calls, unlisted: this.#unlisted }
  }
}
