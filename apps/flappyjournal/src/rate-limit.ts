/** The rate limit of each user: 100 requests in 10 s. */
const RATE_LIMIT = { requests: 100, windowMs: 10_000 } as const

/** Limits the requests of each user in a sliding window. */
export class RateLimit {
  readonly #times = new Map<string, number[]>()

  /** Counts a request. @returns `undefined` if it is allowed, otherwise the seconds to wait. */
  take(user: string, now = performance.now()): number | undefined {
    const since = now - RATE_LIMIT.windowMs
    const times = (this.#times.get(user) ?? []).filter((at) => at > since)
    this.#times.set(user, times)
    if (times.length >= RATE_LIMIT.requests)
      return Math.max(1, Math.ceil(((times[0] ?? now) + RATE_LIMIT.windowMs - now) / 1_000))
    times.push(now)
    // Forget inactive users, so that memory stays bounded.
    if (this.#times.size > 10_000)
      for (const [name, own] of this.#times) if ((own.at(-1) ?? 0) <= since) this.#times.delete(name)
    return undefined
  }
}
