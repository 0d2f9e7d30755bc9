import { ChaosError } from '@chaos/core'
import { isBus, type Bus } from '../seams/bus.js'
import type { EmitterLike } from '../seams/emitter-listeners.js'
import { emitterBus, isEmitterLike } from './event-emitter.js'
import { eventTargetBus, isEventTarget, isPort, portBus, type EventTargetLike } from './event-target.js'
import { isSubject, subjectBus, type SubjectLike } from './subject.js'

/** What the faults of this package take: a bus that was bound, or one in this process, as it is. */
export type BusTarget = Bus | EmitterLike | EventTargetLike | SubjectLike

/** What a target is, in words and as a test: for the definition of a fault. */
export const busTarget = {
  expects:
    'an event emitter (an object with `emit` and `on`), an event target, a message port, a subject, or a bus that was bound',
  accepts: (value: unknown): boolean =>
    isBus(value) || isEventTarget(value) || isEmitterLike(value) || isSubject(value),
} as const

/** The bus behind a target: what was bound, or the binding that fits. */
export function busOf(target: BusTarget): Bus {
  if (isBus(target)) return target
  // Node's ports look like emitters too, yet their messages do not pass `emit`.
  if (isPort(target)) return portBus(target)
  if (isEventTarget(target)) return eventTargetBus(target)
  if (isEmitterLike(target)) return emitterBus(target)
  if (isSubject(target)) return subjectBus(target)
  throw new ChaosError('CHAOS_TARGET_MISMATCH', `Expected ${busTarget.expects}, got something else.`)
}
