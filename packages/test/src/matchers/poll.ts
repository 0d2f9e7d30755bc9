import type { Clock } from '@chaos/core'
import { option, systemClock } from '@chaos/core/authoring'

/** How a matcher waits. */
export interface WaitOptions {
  /** The pause between two looks, in ms. Default 20. */
  readonly everyMs?: number
  /** The source of time. Default: the real clock, which fake timers do not affect. */
  readonly clock?: Clock
}

/** The options of a matcher that waits, as they are checked. */
export const waitOptions = {
  everyMs: option.optional(option.durationMs('Pause between two looks, in ms.'), 20),
  clock: option.optional(
    option.live<Clock>((value) => 'now' in value && 'after' in value, 'a clock', 'Source of time.'),
    systemClock,
  ),
}

/** How a wait ended. */
export interface Waited {
  readonly isMet: boolean
  readonly looks: number
  readonly tookMs: number
}

/** What one look does. Resolves to whether the condition is met. `signal` aborts when it is given up. */
type Look = (signal: AbortSignal) => Promise<boolean>

/** Looks again and again until a condition is met, at most for some time. A look that takes longer than that is given up. */
export async function poll(look: Look, withinMs: number, { everyMs, clock }: Required<WaitOptions>): Promise<Waited> {
  const startedAt = clock.now()
  const giveUp = new AbortController()
  let cancel = (): void => undefined
  const timeUp = new Promise<false>((resolve) => {
    cancel = clock.after(withinMs, () => {
      giveUp.abort()
      resolve(false)
    })
  })
  const pause = async (): Promise<void> => {
    let wake = (): void => undefined
    await Promise.race([new Promise<void>((resolve) => (wake = clock.after(everyMs, resolve))), timeUp])
    // A timer that nobody waits for would keep the process alive.
    wake()
  }
  let looks = 0
  let isMet = false
  try {
    for (; !isMet && !giveUp.signal.aborted; await (isMet ? undefined : pause())) {
      looks += 1
      isMet = await Promise.race([look(giveUp.signal), timeUp])
    }
    return { isMet, looks, tookMs: clock.now() - startedAt }
  } finally {
    cancel()
  }
}
