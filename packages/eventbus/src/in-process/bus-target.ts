import { ChaosError } from '@chaos/core'
import { isBus, type Bus } from '../seams/bus.js'
import type { EmitterLike } from '../seams/emitter-listeners.js'
import { bindEmitter, isEmitterLike } from './event-emitter.js'
import { bindChannel, isChannelTarget, type ChannelTarget } from './channel.js'
import { isProcess } from './child-process.js'
import { bindEventTarget, isEventTarget, type EventTargetLike } from './event-target.js'
import { isSubject, bindSubject, type SubjectLike } from './subject.js'

/** What the faults of this package take: a bus that was bound, or one in this process, as it is. */
export type BusTarget = Bus | EmitterLike | EventTargetLike | SubjectLike | ChannelTarget

/** What a target is, in words and as a test: for the definition of a fault. */
export const busTarget = {
  expects:
    'an event emitter (an object with `emit` and `on`), an event target, a subject, a message port, a worker thread, a process with an IPC channel, a function that returns the current ones, or a bus that was bound',
  // A process is an emitter, too: without a channel it has no messages, and its other events are left alone.
  accepts: (value: unknown): boolean =>
    isBus(value) ||
    isChannelTarget(value) ||
    (!isProcess(value) && (isEventTarget(value) || isEmitterLike(value) || isSubject(value))),
} as const

/** The bus behind a target: what was bound, or the binding that fits. */
export function busOf(target: BusTarget): Bus {
  if (isBus(target)) return target
  // Ports, workers and processes look like emitters or event targets, too: what they send is what is meant.
  if (isChannelTarget(target)) return bindChannel(target)
  if (isEventTarget(target)) return bindEventTarget(target)
  if (isEmitterLike(target)) return bindEmitter(target)
  if (isSubject(target)) return bindSubject(target)
  throw new ChaosError('CHAOS_TARGET_MISMATCH', `Expected ${busTarget.expects}, got something else.`)
}
