import { createHash, randomUUID } from 'node:crypto'
import { HttpError } from './http-error.js'

const MAX_KEY = 200

/**
 * The id of a new entry. A client that repeats a request without an answer sends the same `Idempotency-Key` again, and
 * gets the same id, so that the entry is stored once. Keys of different users differ. Without a key, each request makes
 * an entry of its own.
 *
 * @throws HttpError 400 when the key is empty or longer than 200 characters
 */
export function entryId(user: string, key: unknown): string {
  if (key === undefined) return randomUUID()
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY)
    throw new HttpError(400, `The header Idempotency-Key must have 1 to ${MAX_KEY} characters.`)
  const hash = createHash('sha256')
    .update(JSON.stringify([user, key]))
    .digest('hex')
  return [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20, 32)].join('-')
}
