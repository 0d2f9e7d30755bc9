import { EventEmitter } from 'node:events'
import type { Fault, InjectOptions, Injection } from '@chaos/core'
import { inject } from '@chaos/core'
import { faultContract, manualClock, type ManualClock } from '@chaos/core/testing'
import { describe, it, onTestFinished } from 'vitest'
import type { BusTarget } from '../src/in-process/bus-target.js'

const PAYLOAD = Object.freeze({ n: 1, text: 'the quick brown fox' })

/** Holds a fault to the promises of all faults, on an emitter. */
export function emitterContract(fault: () => Fault<BusTarget>): void {
  describe('the contract', () => {
    const cases = faultContract<EventEmitter>({
      fault,
      target: () => new EventEmitter().on('tick', () => undefined),
      touched: (bus) => [bus, EventEmitter.prototype],
      exercise: (bus, times) => {
        for (let i = 0; i < times; i += 1) {
          try {
            bus.emit('tick', PAYLOAD)
          } catch {
            // A listener that fails on purpose.
          }
        }
      },
    })
    for (const { title, run } of cases) it(title, run)
  })
}

/** An emitter with a fault in force, by a clock that the test moves. */
export async function broken(
  fault: Fault<BusTarget>,
  how: InjectOptions = {},
): Promise<{ bus: EventEmitter; clock: ManualClock; got: unknown[]; injection: Injection }> {
  const clock = manualClock()
  const bus = new EventEmitter()
  const got: unknown[] = []
  bus.on('tick', (payload: unknown) => got.push(payload))
  const injection = await inject(fault, bus, { seed: 1, ...how, clock })
  onTestFinished(async () => {
    await injection.rollback()
  })
  return { bus, clock, got, injection }
}

/** Emits numbers from 0 up. */
export function emitNumbers(bus: EventEmitter, count: number, name = 'tick'): void {
  for (let n = 0; n < count; n += 1) bus.emit(name, n)
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
