import { bytesOf, fieldOf, isBytes } from './payload.js'

/** By what a message is known again when it is delivered again: a field of its payload, or all of it; bytes by their content. */
export function messageKey(payload: unknown, keyAt: string | undefined): unknown {
  const key = keyAt === undefined ? payload : fieldOf(payload, keyAt)
  return isBytes(key) ? bytesOf(key).toString('latin1') : key
}
