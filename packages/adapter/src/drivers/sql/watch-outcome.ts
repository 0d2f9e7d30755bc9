import { errorMonitor, type EventEmitter } from 'node:events'
import type { CommandOutcome } from '../../calls/commands.js'

type Callback = (error: unknown, result?: unknown, ...rest: unknown[]) => unknown

/**
 * Records how a statement ends, by its callback, or by its events if it has none.
 *
 * @param key The member in which the driver keeps the callback.
 */
export function watchOutcome(statement: object, key: 'callback' | 'onResult', outcome: CommandOutcome): void {
  const callback: unknown = Reflect.get(statement, key)
  let isOver = false
  const end = (error: unknown, result?: unknown): void => {
    if (isOver) return
    isOver = true
    if (error === null || error === undefined) outcome.done(result)
    else outcome.failed(error)
  }
  if (typeof callback === 'function') {
    const watched: Callback = function (this: unknown, ...args) {
      end(args[0], args[1])
      return Reflect.apply(callback as Callback, this, args)
    }
    Reflect.set(statement, key, watched)
    return
  }
  if (!('once' in statement)) return
  const emitter = statement as EventEmitter
  emitter.once(errorMonitor, end)
  emitter.once('end', () => end(null))
}
