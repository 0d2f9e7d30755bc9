import { randomUUID } from 'node:crypto'
import type { ConsciousnessEventBus } from './event-bus.js'
import { realTime, type Time } from './time/time.js'

/** Thrown when no answer arrives over the bus in time. */
export class BusTimeoutError extends Error {
  override readonly name = 'BusTimeoutError'
}

/** Sends requests over the bus and waits for the answer with the request's id. A request says when the wait ends. */
export interface Requester {
  /** Sends a request. @throws BusTimeoutError when no answer arrives in time, or the error in a `.fail` answer */
  ask(
    event: 'spiral.memory.store' | 'spiral.memory.retrieve',
    payload: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, unknown>>>
  close(): void
}

type Answer = Readonly<Record<string, unknown>> & { readonly requestId: string }
interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * Creates the requester of a module.
 *
 * @param timeoutMs The longest wait for an answer, in ms. A late bus delays both request and answer, so choose more
 *   than twice its delay.
 */
export function requester(
  bus: ConsciousnessEventBus,
  module: string,
  timeoutMs: number,
  time: Time = realTime,
): Requester {
  const waiting = new Map<string, Waiting>()
  const take = (payload: unknown): Waiting | undefined => {
    const { requestId } = payload as Answer
    const found = waiting.get(requestId)
    waiting.delete(requestId)
    return found
  }
  const onOk = (payload: unknown): void => take(payload)?.resolve(payload as Answer)
  const onFail = (payload: unknown): void => take(payload)?.reject((payload as { readonly error: unknown }).error)
  for (const event of ['spiral.memory.store', 'spiral.memory.retrieve']) {
    bus.subscribe(module, `${event}.ok`, onOk)
    bus.subscribe(module, `${event}.fail`, onFail)
  }
  return {
    ask(event, payload) {
      const requestId = randomUUID()
      return new Promise((resolve, reject) => {
        const cancel = time.after(timeoutMs, () => {
          waiting.delete(requestId)
          reject(new BusTimeoutError(`No answer to ${event} arrived within ${timeoutMs} ms.`))
        })
        const settle =
          <T>(finish: (value: T) => void) =>
          (value: T): void => {
            cancel()
            finish(value)
          }
        waiting.set(requestId, { resolve: settle(resolve), reject: settle(reject) })
        bus.emit(`${event}.request`, { ...payload, requestId, expiresAt: time.now() + timeoutMs })
      })
    },
    close() {
      for (const event of ['spiral.memory.store', 'spiral.memory.retrieve']) {
        bus.unsubscribe(module, `${event}.ok`, onOk)
        bus.unsubscribe(module, `${event}.fail`, onFail)
      }
      for (const { reject } of waiting.values()) reject(new BusTimeoutError('The app is closing.'))
      waiting.clear()
    },
  }
}
