import type { Gate } from '../request-fault.js'

/**
 * A gate that holds a chosen request for a time. It goes on when the injection ends.
 *
 * @param delayOf Returns the time, in ms.
 */
export function heldFor(delayOf: () => number): Gate<unknown> {
  return (_options, encounter, { proceed, isOver }) => {
    if (!encounter.hit({ afterMs: delayOf(), run: proceed, on: { isGone: isOver } })) proceed()
  }
}
