import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { ChaosError, type Clock } from '@chaos/core'
import { callersOf, type Caller, type Callers } from './callers.js'
import { toJson } from './json.js'
import type { Reply } from './replies.js'

/** What identifies a request that may be sent again. */
export interface RequestIdentity {
  /** The `Idempotency-Key` of the client, and how it has proved that it may ask: keys of one say nothing of those of another. */
  readonly key: string
  /** Differs between requests that ask for different things. */
  readonly fingerprint: string
}

/** The answers to requests with an `Idempotency-Key`. */
export interface RepeatedRequests {
  /**
   * Runs a request once, and answers the same request the same way again, also while it is under way. A request whose
   * clients have all left before they had an answer is forgotten, since it has left nothing behind.
   *
   * @param work Never rejects.
   * @throws ChaosError `CHAOS_IDEMPOTENCY_KEY_REUSED` when another request had the key, `CHAOS_TOO_MANY_REQUESTS` when
   *   too many are under way
   */
  answer(
    identity: RequestIdentity,
    caller: Caller,
    work: (caller: Caller) => Promise<Reply>,
  ): Promise<{ readonly reply: Reply; readonly isRepeated: boolean }>
}

interface Known {
  readonly fingerprint: string
  readonly callers: Callers
  readonly reply: Promise<Reply>
  /** Set when the answer is known. */
  done: { readonly until: number; readonly characters: number } | undefined
}

/** The most keys that are remembered. */
export const MAX_KEYS = 1_000
/** How long an answer is remembered, in ms. */
export const REMEMBER_MS = 600_000
/** The most characters of all remembered answers together. */
const MAX_CHARACTERS = 8_388_608
/** The longest key, in characters. */
const MAX_KEY = 200

/**
 * Reads the `Idempotency-Key` of a request.
 *
 * @param by How its sender has proved that it may ask.
 * @param body The body of the request, which the key belongs to.
 * @returns `undefined` if it has none
 * @throws ChaosError `CHAOS_INVALID_REQUEST` when the key is invalid
 */
export function identityOf(req: IncomingMessage, by: string, path: string, body: unknown): RequestIdentity | undefined {
  const key = req.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || key.length > MAX_KEY || !/^[!-~]+$/.test(key))
    throw new ChaosError(
      'CHAOS_INVALID_REQUEST',
      `The \`Idempotency-Key\` must be 1 to ${MAX_KEY} visible ASCII characters, such as a UUID.`,
    )
  const fingerprint = createHash('sha256')
    .update(`${req.method ?? ''} ${path}\n${toJson(body)}`)
    .digest('base64')
  return { key: `${by}\n${key}`, fingerprint }
}

/** Creates a store of answers. Answers are remembered for 10 minutes; the oldest are forgotten first. */
export function repeatedRequests(clock: Clock): RepeatedRequests {
  /** In the order of arrival. */
  const known = new Map<string, Known>()
  let characters = 0

  function forget(key: string, entry: Known): void {
    if (known.get(key) !== entry) return
    known.delete(key)
    characters -= entry.done?.characters ?? 0
  }

  function forgetOld(): void {
    const now = clock.now()
    for (const [key, entry] of known) if (entry.done !== undefined && entry.done.until <= now) forget(key, entry)
    for (const [key, entry] of known) {
      if (known.size < MAX_KEYS && characters <= MAX_CHARACTERS) return
      if (entry.done !== undefined) forget(key, entry)
    }
  }

  function finish(key: string, entry: Known, { text }: Reply): void {
    if (entry.callers.hasLeft) {
      forget(key, entry)
      return
    }
    entry.done = { until: clock.now() + REMEMBER_MS, characters: text.length }
    characters += text.length
  }

  return {
    async answer({ key, fingerprint }, caller, work) {
      forgetOld()
      for (;;) {
        const before = known.get(key)
        if (before === undefined) break
        if (before.fingerprint !== fingerprint)
          throw new ChaosError(
            'CHAOS_IDEMPOTENCY_KEY_REUSED',
            'Another request had this `Idempotency-Key`. Nothing was changed. Send a new key with each new request.',
          )
        before.callers.add(caller)
        const reply = await before.reply
        // It was undone, because everybody who waited for it had left.
        if (before.done !== undefined) return { reply, isRepeated: true }
      }
      if (known.size >= MAX_KEYS)
        throw new ChaosError(
          'CHAOS_TOO_MANY_REQUESTS',
          `${MAX_KEYS} requests with an \`Idempotency-Key\` are under way. Wait for their answers.`,
        )
      const callers = callersOf(caller)
      const entry: Known = { fingerprint, callers, reply: work(callers), done: undefined }
      known.set(key, entry)
      // Runs before those who came later read `done`, since the first to wait is the first to go on.
      const reply = await entry.reply
      finish(key, entry, reply)
      return { reply, isRepeated: false }
    },
  }
}
