import { ChaosError } from '@chaos/core'
import { isBus, type Bus } from '../bus.js'
import { emitterBus, isEmitterLike, type EmitterLike } from './event-emitter.js'

/** What the faults of this package take: a bus that was bound, or one in this process, as it is. */
export type BusTarget = Bus | EmitterLike

/** What a target is, in words and as a test: for the definition of a fault. */
export const busTarget = {
  expects: 'an event emitter (an object with `emit` and `on`) or a bus that was bound',
  accepts: (value: unknown): boolean => isBus(value) || isEmitterLike(value),
} as const

/** The bus behind a target: what was bound, or the binding that fits. */
export function busOf(target: BusTarget): Bus {
  if (isBus(target)) return target
  if (isEmitterLike(target)) return emitterBus(target)
  throw new ChaosError('CHAOS_TARGET_MISMATCH', `Expected ${busTarget.expects}, got something else.`)
}
