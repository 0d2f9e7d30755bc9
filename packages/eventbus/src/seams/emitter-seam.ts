import type { AnyFunction, Below, Operation } from '@chaos/core/authoring'
import {
  nameOfEvent,
  type Decision,
  type EventName,
  type Message,
  type SeamBinding,
  type SwiftTap,
  type Tap,
} from './bus.js'
import type { CallableEmitter, EmitArgs } from './emitter-listeners.js'

/** How the events of an emitter become messages. */
export interface EmitterSeam {
  /** The object that has or inherits the method. */
  readonly object: object
  /** Covers the inherited method even if `object` has its own. */
  readonly inherited: boolean
  readonly method: PropertyKey
  /** The emitter, if others share the method. Default: every emitter that calls the method. */
  readonly owner: object | undefined
  /** Whether no fault may affect events of this name. */
  readonly spares: (name: unknown) => boolean
  /** Whether this event is not to be affected now. Called for `error` events only. */
  readonly isUnheard: (emitter: CallableEmitter) => boolean
  /** Makes the message of one event. Called only for an event that a fault affects, holds or must read. */
  readonly messageOf: (args: EmitArgs, emitter: CallableEmitter, below: Below) => Message
}

/**
 * Binds a seam that is the `emit` of an emitter.
 *
 * Emitters are the busiest buses, so this layer decides before it makes anything: an event that passes costs neither a
 * message nor an array of arguments. It is a layer of its own, so that the optimising compiler sees only emitters in it.
 */
export function emitterSeam(seam: EmitterSeam): SeamBinding {
  return (tap, steps) => {
    const swift = isSwift(tap) ? tap : new TakesAll(tap)
    const layerOn = (below: Below): AnyFunction => {
      const emitting = new Emitting(seam, swift, below)
      return function emit(this: CallableEmitter, name: EventName): unknown {
        // Consecutive events mostly have the same name, and most are outside the fault.
        const operation = name === emitting.lastName ? emitting.last : emitting.find(name)
        const decision = operation === undefined ? 'pass' : emitting.decide(operation, name, this)
        // `arguments` is only passed on, so that the compiler need not make it for an event that passes.
        /* eslint-disable prefer-rest-params */
        if (decision !== 'pass') return emitting.take(decision, this, arguments)
        return below.call.apply(this, arguments) as unknown
        /* eslint-enable prefer-rest-params */
      }
    }
    steps.patch(seam.object, seam.method, layerOn, { inherited: seam.inherited })
  }
}

/** No name of an event. */
const NONE = Symbol('none')

/** The layer of one emitter. The fields are plain, since the optimising compiler folds their loads into the caller. */
class Emitting {
  readonly seam: EmitterSeam
  readonly owner: object | undefined
  readonly tap: SwiftTap
  readonly below: Below
  lastName: unknown = NONE
  /** The last name as text. */
  text: EventName = ''
  last: Operation | undefined = undefined

  constructor(seam: EmitterSeam, tap: SwiftTap, below: Below) {
    this.seam = seam
    this.owner = seam.owner
    this.tap = tap
    this.below = below
  }

  /** Counts an event that passes unaffected, and says what becomes of any other. */
  decide(operation: Operation, name: unknown, emitter: CallableEmitter): Decision {
    if (this.owner !== undefined && this.owner !== emitter) return 'pass'
    if (name === 'error' && this.seam.isUnheard(emitter)) return 'pass'
    return this.tap.decide(operation, this.text)
  }

  find(name: unknown): Operation | undefined {
    const text = this.seam.spares(name) ? undefined : nameOfEvent(name)
    this.last = text === undefined ? undefined : this.tap.operationOf(text)
    this.lastName = name
    this.text = text ?? ''
    return this.last
  }

  take(decision: Decision, emitter: CallableEmitter, args: ArrayLike<unknown>): unknown {
    const message = this.seam.messageOf(Array.from(args) as unknown as EmitArgs, emitter, this.below)
    return decision === 'affect' ? this.tap.affect(message) : this.tap.take(message)
  }
}

const isSwift = (tap: Tap): tap is SwiftTap => 'decide' in tap

/** A tap that wants every message. */
class TakesAll implements SwiftTap {
  constructor(readonly tap: Tap) {}
  covers(name: EventName): boolean {
    return this.tap.covers(name)
  }
  take(message: Message): unknown {
    return this.tap.take(message)
  }
  affect(message: Message): unknown {
    return this.tap.take(message)
  }
  operationOf(name: EventName): Operation | undefined {
    return this.covers(name) ? ANY : undefined
  }
  decide(): Decision {
    return 'take'
  }
}

const ANY: Operation = { covers: () => true, shouldInject: () => true, chance: () => () => true }
