import type { Clock } from '@chaos/core'
import { digestOf, secret } from './secrets.js'

/** How long a key can be used, in ms. */
const KEY_MS = 60_000
/** The most unused keys. One more makes the oldest useless. */
const MAX_KEYS = 8

/** Keys that sign in one browser, once, within a minute. */
export interface OneTimeKeys {
  mint(): string
  /** Uses up a key. @returns Whether it was good. */
  redeem(key: string): boolean
}

export function oneTimeKeys(clock: Clock): OneTimeKeys {
  /** When each key ends, by its hash, oldest first. */
  const keys = new Map<string, number>()
  const idOf = (key: string): string => digestOf(key).toString('base64')
  return {
    mint() {
      const [oldest] = keys.keys()
      if (keys.size >= MAX_KEYS && oldest !== undefined) keys.delete(oldest)
      const key = secret()
      keys.set(idOf(key), clock.now() + KEY_MS)
      return key
    },
    redeem(key) {
      const id = idOf(key)
      const endsAt = keys.get(id)
      keys.delete(id)
      return endsAt !== undefined && clock.now() < endsAt
    },
  }
}
