import { KINDS, type Kind } from './report.js'

const MAX_OFFENDERS = 10

/** Counts what is wrong, and keeps the first of each kind in words. */
export class Findings {
  readonly #counts = new Map<Kind, number>(KINDS.map((kind) => [kind, 0]))
  readonly #words = new Map<Kind, string[]>()
  readonly #known = new Set<string>()

  add(kind: Kind, words: string): void {
    this.#counts.set(kind, this.count(kind) + 1)
    const own = this.#words.get(kind) ?? []
    if (own.length < MAX_OFFENDERS) own.push(words)
    this.#words.set(kind, own)
  }

  /** Counts what is found again and again, such as a missing entry, only the first time. */
  addOnce(kind: Kind, subject: string, words: string): void {
    const key = `${kind} ${subject}`
    if (this.#known.has(key)) return
    this.#known.add(key)
    this.add(kind, words)
  }

  count(kind: Kind): number {
    return this.#counts.get(kind) ?? 0
  }

  counts(): Record<Kind, number> {
    return Object.fromEntries(this.#counts) as Record<Kind, number>
  }

  /** The first of each kind by turns, so that a flood of one kind does not hide the others. */
  offenders(): string[] {
    const found: string[] = []
    for (let turn = 0; turn < MAX_OFFENDERS; turn += 1)
      for (const words of this.#words.values()) found.push(...words.slice(turn, turn + 1))
    return found.slice(0, MAX_OFFENDERS)
  }

  /** Makes room for the offenders to come; counts stay. */
  forgetOffenders(): void {
    this.#words.clear()
  }
}
