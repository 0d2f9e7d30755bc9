import type { Clock } from '@chaos/core'
import { breaks, HOLDS } from '../explore/outcome.js'
import type { Outcome } from '../search/model.js'
import { resultText, type Step } from './step.js'

/** Something that must be true of the app after each run. The open probes of `@chaos/experiment` are such. */
export interface Invariant {
  readonly name: string
  /** What its value must be, as text. */
  readonly bounds: string
  readonly read: (signal?: AbortSignal) => Promise<InvariantReading>
}

/** One reading. */
interface InvariantReading {
  readonly isGood: boolean
  readonly value: number | undefined
  /** Why there is no value. */
  readonly problem?: string
}

/** An invariant that holds if a request or a command succeeds. */
export function checkOf(step: Step): Invariant {
  return {
    name: step.text,
    bounds: 'to succeed',
    async read(signal = new AbortController().signal) {
      const result = await step.run(signal)
      return { isGood: result.isOk, value: undefined, problem: resultText(result) }
    },
  }
}

/** The time between two readings, in ms. */
const PAUSE_MS = 50

/** Reads every invariant until all hold at once, at most for a time. */
export async function judge(
  invariants: readonly Invariant[],
  { withinMs, clock, signal }: { readonly withinMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Outcome> {
  const endsAt = clock.now() + withinMs
  for (;;) {
    const bad: string[] = []
    for (const invariant of invariants) {
      const reading = await invariant.read(signal)
      signal.throwIfAborted()
      if (!reading.isGood) bad.push(badText(invariant, reading))
    }
    if (bad.length === 0) return HOLDS
    if (clock.now() >= endsAt) return breaks(bad.join('\n'))
    await new Promise<void>((resolve) => void clock.after(PAUSE_MS, resolve))
  }
}

function badText({ name, bounds }: Invariant, { value, problem }: InvariantReading): string {
  const got = value === undefined ? (problem ?? 'no data') : String(value)
  return `${name}: expected ${bounds}, got ${got}`
}
