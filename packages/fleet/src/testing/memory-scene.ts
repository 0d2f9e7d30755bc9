import { manualClock, type ManualClock } from '@chaos/core/testing'
import { memoryEngine, type MemoryEngine } from '../transports/memory.js'
import type { TransportScene } from './transport-contract.js'

/** A {@link TransportScene} over an engine in memory, on a manual clock. */
export function memoryScene(): TransportScene & { readonly engine: MemoryEngine; readonly clock: ManualClock } {
  const clock = manualClock(1_000_000)
  const engine = memoryEngine({ clock })
  const done = Promise.resolve()
  return {
    engine,
    clock,
    agent: () => engine.agent(),
    controller: () => engine.controller(),
    advance: (ms) => clock.advance(ms),
    isolate(agent) {
      const heal = engine.partition(agent)
      return Promise.resolve(() => done.then(heal))
    },
    suspend() {
      engine.pause()
      return Promise.resolve(() => done.then(() => engine.resume()))
    },
    wipe: () => done.then(() => engine.wipe()),
    close: () => done,
  }
}
