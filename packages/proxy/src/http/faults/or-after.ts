import type { Gate, Passage } from '../request-fault.js'

/**
 * A gate that ends a chosen request in its own way, at once or after a time.
 *
 * @param afterMs The time, in ms. When the injection ends, the requests that wait are ended then.
 */
export function orAfter(afterMs: number, act: (passage: Passage) => void): Gate<unknown> {
  return (_options, encounter, passage) => {
    const { proceed, isOver } = passage
    if (afterMs === 0) {
      if (encounter.hit()) act(passage)
      else proceed()
      return
    }
    if (!encounter.hit({ afterMs, run: () => act(passage), on: { isGone: isOver } })) proceed()
  }
}
