import { createHash } from 'node:crypto'
import { bytesOf, fieldOf, isBytes } from '@chaos/core/authoring'

/**
 * By what a message is known again when it is delivered again: a field of its payload, or all of it; bytes by their content. It is kept for long, so
 * that a long text is known by its hash.
 *
 * @param isCarried Whether the payload comes from a broker, which makes another object of it with each delivery: objects are then known by their content.
 */
export function messageIdentity(payload: unknown, keyAt: string | undefined, isCarried: boolean): unknown {
  const key = keyAt === undefined ? payload : fieldOf(payload, keyAt)
  if (isBytes(key)) return bounded(bytesOf(key).toString('latin1'))
  const known: unknown = isCarried && typeof key === 'object' ? JSON.stringify(key) : key
  return typeof known === 'string' ? bounded(known) : known
}

const MAX_KEY_LENGTH = 200
/** A text as it is kept: a long one is known by its hash. */
export const bounded = (text: string): string =>
  text.length > MAX_KEY_LENGTH ? createHash('sha256').update(text).digest('base64') : text
