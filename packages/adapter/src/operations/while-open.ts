import type { Held } from '@chaos/core/authoring'
import type { EventEmitter } from 'node:events'
import { listenTo } from './listeners.js'

/**
 * Holds work on something that can close, and drops the work when it closes. No listener stays once the work has run.
 *
 * @param hold Holds the work. It must call its argument when the work runs or is abandoned.
 * @param onDrop Called after the work was dropped.
 */
export function holdWhileOpen(
  emitter: EventEmitter,
  hold: (leave: () => void) => Held,
  onDrop = (): void => undefined,
): Held {
  // Held work may run at once.
  const leave = listenTo(emitter, 'close', () => {
    leave()
    held.drop()
    onDrop()
  })
  const held = hold(leave)
  return held
}
