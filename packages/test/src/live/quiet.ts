import type { Clock, InjectionState } from '@chaos/core'
import type { LiveConnection } from './live-app.js'
import type { Watch } from './live-plan.js'

/** How many pauses are waited for. An app that is never quiet has work of its own. */
const MAX_PAUSES = 10

/** Waits until watches see no more calls for a while: what an app does after it has answered is then part of the run. */
export async function untilQuiet(
  connection: LiveConnection,
  watches: readonly Watch[],
  { quietMs, clock, signal }: { readonly quietMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const ids = new Set(watches.map(({ state }) => state.id))
  const seen = async (): Promise<number> => {
    const states: readonly InjectionState[] = await connection.injections()
    return states.reduce((sum, state) => (ids.has(state.id) ? sum + state.seen : sum), 0)
  }
  let before = await seen()
  for (let pause = 0; pause < MAX_PAUSES; pause += 1) {
    signal.throwIfAborted()
    await new Promise<void>((resolve) => void clock.after(quietMs, resolve))
    const now = await seen()
    if (now === before) return
    before = now
  }
}
