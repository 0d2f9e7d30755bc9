import { createHash } from 'node:crypto'
import { bytesOf, fieldOf, isBytes } from '@chaos/core/authoring'

/**
 * The key that identifies a redelivered message: a field of its payload, or the whole payload. Bytes are compared by
 * content. Faults keep keys for a long time, so a long text is replaced by its hash.
 *
 * @param isCarried Whether the payload comes from a broker, which creates a new object for each delivery. Objects are then compared by content.
 */
export function messageIdentity(payload: unknown, keyAt: string | undefined, isCarried: boolean): unknown {
  const key = keyAt === undefined ? payload : fieldOf(payload, keyAt)
  if (isBytes(key)) {
    const bytes = bytesOf(key)
    // A text has less room than bytes.
    return bytes.length > MAX_KEY_LENGTH ? hashOf(bytes) : bytes.toString('latin1')
  }
  const known: unknown = isCarried && typeof key === 'object' ? JSON.stringify(key) : key
  return typeof known === 'string' ? bounded(known) : known
}

const MAX_KEY_LENGTH = 200
/** Replaces a text that is longer than `MAX_KEY_LENGTH` by its hash. */
export const bounded = (text: string): string => (text.length > MAX_KEY_LENGTH ? hashOf(text) : text)

const hashOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('base64')
