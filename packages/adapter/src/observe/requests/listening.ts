import type { InjectionContext } from '@chaos/core/authoring'
import { errorMonitor, type EventEmitter } from 'node:events'
import { listenTo } from '../../operations/listeners.js'

/** Listens to a request until it is over. */
export interface Listening {
  /** Listens to an event; errors without being a listener of them, so that an error that nobody hears stays uncaught. */
  readonly on: (event: string, work: (...args: readonly unknown[]) => void) => void
  readonly onError: (work: (error: unknown) => void) => void
  readonly stop: () => void
}

/** Returns a function that starts to listen to a request. No listener stays when the injection ends. */
export function listener(context: InjectionContext): (emitter: EventEmitter) => Listening {
  const all = new Set<Listening>()
  context.defer(() => {
    for (const { stop } of [...all]) stop()
  })
  return (emitter) => {
    const stops: (() => void)[] = []
    const listening: Listening = {
      on: (event, work) => void stops.push(listenTo(emitter, event, work)),
      onError: (work) => void stops.push(listenTo(emitter, errorMonitor as unknown as string, work)),
      stop() {
        all.delete(listening)
        for (const stop of stops) stop()
      },
    }
    all.add(listening)
    return listening
  }
}
