import type { ChaosError } from '@chaos/core'
import type { EventSocket } from './event-socket.js'

/**
 * Stands in for the event stream of a server that has none to give: as many as it takes are open, or too many requests came. Stopping needs no stream,
 * and must work all the same.
 *
 * @param refusal What the server said: thrown where events are asked for.
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
