import type { InjectionContext } from '@chaos/core/authoring'
import type { TakeBytes, Wire } from '../sockets/wire.js'
import { ResponseHead } from './response-head.js'

/** A chosen response on its way. */
export interface Passage {
  readonly wire: Wire
  readonly head: ResponseHead
  readonly take: TakeBytes
}

/** Gets the wire of a chosen response and returns the handler of its bytes. */
export type ActOnResponse = (wire: Wire) => TakeBytes

/** Starts the passage of a chosen response. */
export function passageOf(wire: Wire, act: ActOnResponse): Passage {
  return { wire, head: new ResponseHead(), take: act(wire) }
}

/**
 * Keeps an injection with a spent limit in force until a chosen response is over.
 *
 * @returns A function to call when the response is over.
 */
export function awaited(context: InjectionContext): () => void {
  const held = context.hold({ afterMs: Number.POSITIVE_INFINITY, run: () => undefined })
  return () => held.drop()
}
