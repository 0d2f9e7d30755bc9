import type { SeamBinding } from './bus.js'
import { findDeliveryMethod } from './find-delivery-method.js'
import { methodSeam } from './method-seam.js'
import {
  listenerMessage,
  listenersOf,
  rejectAs,
  withContent,
  type CallableEmitter,
  type EmitArgs,
  type EmitterLike,
  type Reading,
} from './emitter-listeners.js'

/**
 * Binds the delivery of a client that emits its messages as events. Each listener is a subscriber.
 *
 * @param events How to read each event that carries a message. Indexes count from the name of the event, which is 0.
 */
export function clientEvents(client: EmitterLike, events: Readonly<Record<string, Reading>>): SeamBinding {
  return (tap, steps) => {
    const { object, inherited, shared } = findDeliveryMethod(client, 'emit')
    eventsOf({ object, inherited, isOne: (self) => !shared || self === client }, events)(tap, steps)
  }
}

/** The object whose `emit` clients call. */
interface Emitting {
  /** The client, or the common prototype of several clients. */
  readonly object: object
  readonly inherited?: boolean
  /** Whether an emitter is one of the bound clients. */
  readonly isOne: (emitter: unknown) => boolean
}

/** Binds the deliveries of all clients that share one `emit`. See {@link clientEvents}. */
export function eventsOf(
  { object, inherited = false, isOne }: Emitting,
  events: Readonly<Record<string, Reading>>,
): SeamBinding {
  const readings = new Map<unknown, Reading>(Object.entries(events))
  return methodSeam<EmitArgs, CallableEmitter>({
    object,
    inherited,
    method: 'emit',
    name: (args) => readings.get(args[0])?.name(args),
    read(args, self) {
      const event = args[0]
      const reading = readings.get(event)
      // Without listeners there is no delivery.
      if (reading === undefined || !isOne(self) || self.listenerCount?.(event) === 0) return undefined
      return {
        payload: args[reading.payloadAt],
        baggage: () => reading.baggage?.(args),
        withPayload: (payload) => withContent(reading, args, payload),
        answer: () => true,
        isGone: () => reading.isGone?.(self) === true,
        deliveries: () => listenersOf(self, event).map((listener) => listenerMessage(self, listener, args, reading)),
        fail(error, how) {
          if (reading.fail !== undefined) return reading.fail(error, how)
          if (how === 'throw') throw error
          rejectAs(self, Promise.reject(error), args)
          return true
        },
      }
    },
  })
}

/** Reads an event that has the name of its message at one index and the content at another. */
export const namedAt = (nameAt: number, payloadAt: number, isGone: NonNullable<Reading['isGone']>): Reading => ({
  name: (args) => String(args[nameAt]),
  payloadAt,
  isGone,
})
