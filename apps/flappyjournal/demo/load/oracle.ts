import { setImmediate as turn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Findings } from './findings.js'

/** What is written. */
export interface Draft {
  readonly title: string
  readonly content: string
  readonly tags: readonly string[]
  readonly mood: string
}

/** An entry, as it was acknowledged. */
export interface Entry extends Draft {
  readonly id: string
  readonly [field: string]: unknown
}

/** A write that was sent: {@link Oracle.sent} makes it. */
export interface Sent {
  readonly draft: Draft
  readonly turn: number
  /** The listener's connection when it was sent, if it had one. */
  readonly connection: number | undefined
}

interface Kept {
  readonly entry: Entry
  readonly sentTurn: number
  readonly acknowledgedTurn: number
  pushes: number
}

/** Pushes of entries that are not known yet, or of other clients, that are remembered. */
const MAX_EARLY = 1_000
/** Items of a list that are compared before other work has its turn. */
const ITEMS_PER_TURN = 500

/**
 * Knows what the journal acknowledged, and compares everything with it that the journal says later: each field of an entry, the list, and the
 * pushes of the WebSocket, which must come once for each write, in time and in order.
 *
 * Order is promised where one write was acknowledged before another one was sent. Turns are a count of both, so that no clock has a say.
 */
export class Oracle {
  readonly #findings: Findings
  readonly #pushWithinMs: number
  readonly #now: () => number
  readonly #kept = new Map<string, Kept>()
  readonly #idOfTitle = new Map<string, string>()
  /** Until when the push of an entry must have come. */
  readonly #due = new Map<string, number>()
  /** How often an entry was pushed of which nothing is known (yet). */
  readonly #early = new Map<string, number>()
  #turn = 0
  #connection = 0
  #isConnected = false
  /** The latest turn at which a write was sent whose push has come. */
  #latestPushed = 0

  /** @param pushWithinMs Longest time from an acknowledgement to its push, in ms. */
  constructor(findings: Findings, pushWithinMs: number, now: () => number = () => performance.now()) {
    this.#findings = findings
    this.#pushWithinMs = pushWithinMs
    this.#now = now
  }

  get entries(): readonly Entry[] {
    return [...this.#kept.values()].map(({ entry }) => entry)
  }

  get size(): number {
    return this.#kept.size
  }

  /** Notes that a write is being sent. */
  sent(draft: Draft): Sent {
    this.#turn += 1
    return { draft, turn: this.#turn, connection: this.#isConnected ? this.#connection : undefined }
  }

  /** Notes that a write was answered with success, and with what. */
  acknowledged({ draft, turn, connection }: Sent, answer: unknown): void {
    const entry = { ...(answer as Entry), ...draft }
    const { id } = entry
    if (this.#kept.has(id)) {
      this.#findings.add('duplicated', `${nameOf(id)}: two writes were given this id`)
      return
    }
    this.#turn += 1
    const kept: Kept = { entry, sentTurn: turn, acknowledgedTurn: this.#turn, pushes: 0 }
    this.#kept.set(id, kept)
    this.#idOfTitle.set(draft.title, id)
    if (connection !== undefined && connection === this.#connection && this.#isConnected)
      this.#due.set(id, this.#now() + this.#pushWithinMs)
    this.compare(id, answer)
    const early = this.#early.get(id) ?? 0
    this.#early.delete(id)
    for (let count = 0; count < early; count += 1) this.#pushedKept(kept)
  }

  /** Compares an acknowledged entry with what was read. `undefined`: it was not there. */
  compare(id: string, found: unknown): void {
    const entry = this.#kept.get(id)?.entry
    if (entry === undefined) return
    if (found === undefined)
      this.#findings.addOnce('lost', id, `${nameOf(id)} ("${entry.title}"): acknowledged and not there`)
    else if (!isDeepStrictEqual(found, entry))
      this.#findings.addOnce('damaged', id, `${nameOf(id)}: ${differenceOf(entry, found)}`)
  }

  /** Compares a list of the journal with the entries that were acknowledged before it was asked for. A long one must not make this process late: it takes turns. */
  async compareList(expected: readonly Entry[], list: readonly unknown[]): Promise<void> {
    const times = new Map<string, number>()
    for (const [index, item] of list.entries()) {
      if (index % ITEMS_PER_TURN === 0) await turn()
      const { id, title } = (typeof item === 'object' && item !== null ? item : {}) as Partial<Entry>
      if (typeof id !== 'string') {
        this.#findings.addOnce('damaged', excerpt(item), `the list holds ${excerpt(item)}, which is no entry`)
        continue
      }
      times.set(id, (times.get(id) ?? 0) + 1)
      if (this.#kept.has(id)) this.compare(id, item)
      else {
        const original = typeof title === 'string' ? this.#idOfTitle.get(title) : undefined
        if (original !== undefined)
          this.#findings.addOnce('duplicated', id, `${nameOf(original)}: the list holds it again as ${nameOf(id)}`)
      }
    }
    for (const { id, title } of expected) {
      const count = times.get(id) ?? 0
      if (count === 0)
        this.#findings.addOnce('lost', id, `${nameOf(id)} ("${title}"): acknowledged and not in the list`)
      if (count > 1)
        this.#findings.addOnce('duplicated', `${id} in the list`, `${nameOf(id)}: ${count} times in the list`)
    }
  }

  /** The listener has a connection. What is written from now on must be pushed. */
  connected(): void {
    this.#connection += 1
    this.#isConnected = true
  }

  /** The listener has none, or none any more. Pushes that were due on it cannot be told from lost ones: the connection itself is what counts. */
  disconnected(problem: string): void {
    this.#isConnected = false
    this.expire()
    this.#due.clear()
    this.#findings.add('undelivered', `the WebSocket listener ${problem}`)
  }

  /** Takes what was pushed to the listener. */
  pushed(text: string): void {
    const message = parsed(text)
    if (message === undefined) {
      this.#findings.add('damaged', `the push ${excerpt(text)} is no JSON`)
      return
    }
    if (message['event'] !== 'journal:changed') return
    const { id, method } = (message['payload'] ?? {}) as { readonly id?: unknown; readonly method?: unknown }
    if (typeof id !== 'string') {
      this.#findings.add('damaged', `the push ${excerpt(text)} names no entry`)
      return
    }
    const kept = this.#kept.get(id)
    if (kept === undefined) {
      this.#early.set(id, (this.#early.get(id) ?? 0) + 1)
      const [oldest] = this.#early.keys()
      if (this.#early.size > MAX_EARLY && oldest !== undefined) this.#early.delete(oldest)
    } else if (method === 'POST') this.#pushedKept(kept)
    else
      this.#findings.addOnce(
        'damaged',
        `${id} pushed`,
        `${nameOf(id)}: pushed as ${excerpt(method)}, though nobody changed it`,
      )
  }

  /** Counts pushes whose time is over. */
  expire(): void {
    for (const [id, dueAt] of this.#due) if (this.#now() > dueAt) this.#missed(id)
  }

  /** Whether one of these entries still waits for its push. */
  isAwaiting(entries: readonly Entry[]): boolean {
    this.expire()
    return entries.some(({ id }) => this.#due.has(id))
  }

  #missed(id: string): void {
    this.#due.delete(id)
    this.#findings.addOnce('undelivered', id, `${nameOf(id)}: not pushed within ${this.#pushWithinMs} ms`)
  }

  #pushedKept(kept: Kept): void {
    const { id } = kept.entry
    kept.pushes += 1
    if (kept.pushes > 1) {
      this.#findings.addOnce('duplicated', `${id} pushed`, `${nameOf(id)}: pushed more than once`)
      return
    }
    const dueAt = this.#due.get(id)
    if (dueAt !== undefined && this.#now() > dueAt) this.#missed(id)
    this.#due.delete(id)
    if (this.#latestPushed > kept.acknowledgedTurn)
      this.#findings.addOnce('reordered', id, `${nameOf(id)}: pushed after an entry that was written later`)
    this.#latestPushed = Math.max(this.#latestPushed, kept.sentTurn)
  }
}

function nameOf(id: string): string {
  return `entry ${id.length > 8 ? `${id.slice(0, 8)}…` : id}`
}

/** At most 60 characters of a value, as JSON. */
export function excerpt(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function differenceOf(entry: Entry, found: unknown): string {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return `it is ${excerpt(found)}`
  const other = found as Readonly<Record<string, unknown>>
  const field =
    [...new Set([...Object.keys(entry), ...Object.keys(other)])].find(
      (name) => !isDeepStrictEqual(entry[name], other[name]),
    ) ?? 'something'
  return `${field.slice(0, 30)} is ${excerpt(other[field])} instead of ${excerpt(entry[field])}`
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
