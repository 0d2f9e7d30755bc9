import type { InjectionState, JournalEntry } from '@chaos/core'
import { systemClock, type DelegatedCounts } from '@chaos/core/authoring'
import { processTime } from './process-time.js'
import type { Report } from './thread-proxy.js'

/** How late a count may be told, in ms. */
const EVERY_MS = 20

type Counted = Pick<InjectionState, 'seen' | 'affected' | 'queued' | 'held' | 'account' | 'observed'>

interface Followed {
  /** Its counts: live, and after its end those of its last state. */
  counted: Counted
  /** The counts of the last report. */
  told: string
  hits: Report['hits'][number][]
  warnings: string[]
  outcome: Report['outcome']
}

/** Tells the other thread what becomes of injections: hits and ends at once, counts every 20 ms while they change. */
export class Reports {
  readonly #send: (report: Report) => void
  readonly #followed = new Map<string, Followed>()
  #isTimed = false
  #isDue = false

  constructor(send: (report: Report) => void) {
    this.#send = send
  }

  /** Follows an injection from now on. Its counts are known once {@link count} was called, or it has ended. */
  begin(id: string): void {
    const counted = { seen: 0, affected: 0, queued: 0, held: 0, account: {} }
    this.#followed.set(id, { counted, told: '', hits: [], warnings: [], outcome: undefined })
    this.#wait()
  }

  count(id: string, injection: Counted): void {
    const one = this.#followed.get(id)
    if (one !== undefined && one.outcome === undefined) one.counted = injection
  }

  /** Tells what is left, and follows it no longer. */
  end(id: string): void {
    this.flush()
    this.#followed.delete(id)
  }

  readonly hear = (entry: JournalEntry): void => {
    const one = this.#followed.get('injection' in entry ? entry.injection.id : entry.id)
    if (one === undefined) return
    if (entry.type === 'hit') {
      const at = processTime() - (systemClock.now() - entry.at)
      one.hits.push({ operation: entry.operation, call: entry.call, at })
    } else if (entry.type === 'warning') one.warnings.push(entry.message)
    else if (entry.type === 'ended') {
      one.counted = entry.injection
      one.outcome = ownEndOf(entry.injection)
    }
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => this.flush())
  }

  /** Tells all that is new. */
  flush(): void {
    this.#isDue = false
    for (const [injection, one] of this.#followed) {
      const counts = countsOf(one.counted)
      const told = JSON.stringify([counts, one.outcome])
      const { hits, warnings, outcome } = one
      if (told === one.told && hits.length === 0 && warnings.length === 0) continue
      Object.assign(one, { told, hits: [], warnings: [] })
      this.#send({ injection, counts, hits, warnings, ...(outcome === undefined ? {} : { outcome }) })
    }
  }

  #wait(): void {
    if (this.#isTimed) return
    this.#isTimed = true
    systemClock.after(EVERY_MS, () => {
      this.#isTimed = false
      this.flush()
      if (this.#followed.size > 0) this.#wait()
    })
  }
}

/** Copies the counts, which are live. */
function countsOf({ seen, affected, queued, held, account, observed }: Counted): DelegatedCounts {
  return { seen, affected, queued, held, account: { ...account }, ...(observed === undefined ? {} : { observed }) }
}

/** Why an injection has ended, unless the other thread ended it. */
function ownEndOf({ outcome }: InjectionState): Report['outcome'] {
  return outcome === 'stopped' || outcome === 'lease-expired' || outcome === 'limit-spent' ? outcome : undefined
}
