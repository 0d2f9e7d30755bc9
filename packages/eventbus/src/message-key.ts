import { bytesOf, fieldOf, isBytes } from './payload.js'

/**
 * By what a message is known again when it is delivered again: a field of its payload, or all of it; bytes by their content.
 *
 * @param isCarried Whether the payload comes from a broker, which makes another object of it with each delivery: objects are then known by their content.
 */
export function messageKey(payload: unknown, keyAt: string | undefined, isCarried: boolean): unknown {
  const key = keyAt === undefined ? payload : fieldOf(payload, keyAt)
  if (isBytes(key)) return bytesOf(key).toString('latin1')
  return isCarried && typeof key === 'object' ? JSON.stringify(key) : key
}
