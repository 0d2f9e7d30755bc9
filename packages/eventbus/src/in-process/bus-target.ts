import { ChaosError } from '@chaos/core'
import { isBus, type Bus } from '../seams/bus.js'
import type { EmitterLike } from '../seams/emitter-listeners.js'
import { bindEmitter, isEmitterLike } from './event-emitter.js'
import { bindChannel, isChannelTarget, type ChannelTarget } from './channel.js'
import { isProcess } from './child-process.js'
import { bindEventTarget, isEventTarget, type EventTargetLike } from './event-target.js'
import { isSubject, bindSubject, type SubjectLike } from './subject.js'

/** The targets of this package: a bound bus, or an unbound bus of this process. */
export type BusTarget = Bus | EmitterLike | EventTargetLike | SubjectLike | ChannelTarget

/** The `target` of a fault definition. */
export const busTarget = {
  expects:
    'an event emitter (an object with `emit` and `on`), an event target, a subject, a message port, a worker thread, a process with an IPC channel, a function that returns the current ones, or a bound bus',
  // A process is an emitter, too, but faults affect only its messages. A process without a channel has none.
  accepts: (value: unknown): boolean =>
    isBus(value) ||
    isChannelTarget(value) ||
    (!isProcess(value) && (isEventTarget(value) || isEmitterLike(value) || isSubject(value))),
} as const

/** The bus of a target: the bound bus itself, or a new binding. */
export function busOf(target: BusTarget): Bus {
  if (isBus(target)) return target
  // Ports, workers and processes also have the methods of emitters or event targets, but faults affect their messages.
  if (isDatabaseClient(target)) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      'The target is a client or a pool of a database, whose events carry no messages. Use call faults of `@chaos/adapter` with its binding, such as `bindPg(pool)` of `@chaos/adapter/pg`.',
    )
  }
  if (isChannelTarget(target)) return bindChannel(target)
  if (isEventTarget(target)) return bindEventTarget(target)
  if (isEmitterLike(target)) return bindEmitter(target)
  if (isSubject(target)) return bindSubject(target)
  throw new ChaosError('CHAOS_TARGET_MISMATCH', `The target is not a bus. Pass ${busTarget.expects}.`)
}

/** Returns whether an emitter is a client of a database: it queries or sends commands, and its events tell its state. */
function isDatabaseClient(target: object): boolean {
  const has = (...names: readonly string[]): boolean =>
    names.every((name) => name in target && typeof Reflect.get(target, name) === 'function')
  return (
    has('query', 'connect') || has('query', 'getConnection') || has('query', 'execute') || has('db', 'startSession')
  )
}
