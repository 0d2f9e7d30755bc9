import type { ChaosError } from '@chaos/core'
import type { EventSocket } from './event-socket.js'

/**
 * Replaces the event stream when the server refuses one because too many are open or too many requests came. Stopping
 * injections needs no stream and must still work.
 *
 * @param refusal The server's error. It is thrown when events are requested.
 */
export function noEvents(refusal: ChaosError): EventSocket {
  const refuse = (): never => {
    throw refusal
  }
  let isClosed = false
  let sayClosed: () => void = () => undefined
  const closed = new Promise<void>((resolve) => (sayClosed = resolve))
  return {
    closed,
    droppedHits: 0,
    get connection() {
      return refuse()
    },
    get isClosed() {
      return isClosed
    },
    follow: refuse,
    onAppEvent: refuse,
    caughtUp: () => Promise.resolve(),
    close() {
      isClosed = true
      sayClosed()
      return closed
    },
  }
}
