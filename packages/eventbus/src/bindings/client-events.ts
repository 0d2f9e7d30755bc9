import type { SeamBinding } from '../bus.js'
import { deliveryMember } from '../delivery-member.js'
import { methodSeam, replaced } from '../method-seam.js'
import { listenerMessage, listenersOf, rejectAs, type CallableEmitter, type Reading } from './emitter-listeners.js'
import type { EmitterLike } from './event-emitter.js'

/**
 * Binds the delivery of a client that hands messages to its application by events of its own, among others: each listener is a subscriber.
 *
 * @param events How each event that carries a message is read. Positions count from the name of the event, which is 0.
 */
export function clientEvents(client: EmitterLike, events: Readonly<Record<string, Reading>>): SeamBinding {
  const readings = new Map<unknown, Reading>(Object.entries(events))
  const readingOf = (args: readonly unknown[]): Reading => readings.get(args[0]) as Reading
  return (tap, steps) => {
    const { object, inherited, shared } = deliveryMember(client, 'emit')
    const seam = methodSeam({
      object,
      inherited,
      method: 'emit',
      name: (args) => readings.get(args[0])?.name(args),
      // Without a listener nobody would get it: it is no delivery.
      passes: ([event], self) => (shared && self !== client) || (self as CallableEmitter).listenerCount?.(event as string) === 0,
      payload: {
        read: (args) => args[readingOf(args).payloadAt],
        replace: (args, payload) => replaced(args, readingOf(args).payloadAt, payload),
      },
      answer: () => true,
      deliveries: (_message, args, self) => {
        const reading = readingOf(args)
        return listenersOf(self as CallableEmitter, args[0] as string).map((listener) => listenerMessage(self as CallableEmitter, listener, args, reading))
      },
      fail: (error, how, args, self) => {
        if (how === 'throw') throw error
        rejectAs(self as CallableEmitter, Promise.reject(error), args)
        return true
      },
    })
    seam(tap, steps)
  }
}

/** Reads an event whose message is named by one argument and carried by another. */
export const namedAt = (nameAt: number, payloadAt: number): Reading => ({ name: (args) => String(args[nameAt]), payloadAt })
