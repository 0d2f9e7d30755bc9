import type { ChaosController } from '@chaos/core'

/** The injections that event streams hold. */
export interface HeldInjections {
  /** Ends an injection when its holder is released. */
  hold(injection: string, holder: string): void
  /** Forgets an injection that has ended. */
  forget(injection: string): void
  /** Ends everything that a holder holds. */
  release(holder: string): void
  /** Resolves when everything that was released is rolled back. */
  released(): Promise<void>
}

export function heldInjections(controller: ChaosController): HeldInjections {
  const holders = new Map<string, string>()
  const stops = new Set<Promise<unknown>>()
  return {
    hold: (injection, holder) => void holders.set(injection, holder),
    forget: (injection) => void holders.delete(injection),
    release(holder) {
      for (const [injection, holding] of holders) {
        if (holding !== holder) continue
        holders.delete(injection)
        // A failed rollback is reported in the injection's state and in the journal.
        const stop = controller.stop(injection).catch(() => undefined)
        stops.add(stop)
        void stop.finally(() => stops.delete(stop))
      }
    },
    async released() {
      await Promise.all(stops)
    },
  }
}
