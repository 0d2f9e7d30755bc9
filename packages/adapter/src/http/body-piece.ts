import type { Method, ReplaceMember } from '../operations/member-replacer.js'

/** A piece of a body, without its framing. */
export interface BodyPiece {
  readonly bytes: Buffer
  /** Whether a `content-length` is set, so that a replacement must have the same length. */
  readonly keepsLength: boolean
}

/** Returns the replacement of a piece. */
export type Change = (piece: BodyPiece) => Buffer

/** Replaces a method of an object by one that changes the arguments first. */
export function whenCalledWith(
  replaceMember: ReplaceMember,
  object: object,
  method: string,
  changed: (args: unknown[]) => unknown[],
): void {
  if (typeof Reflect.get(object, method) !== 'function') return
  replaceMember(
    object,
    method,
    (original) =>
      function (...args) {
        return Reflect.apply(original as Method, this, changed(args))
      },
  )
}
