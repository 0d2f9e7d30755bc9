import type { Clock } from '@chaos/core'

/** Counts a request. @returns Whether it is within the rate. */
export type RateLimit = () => boolean

/** A token bucket of `perSecond` requests per second and a burst of the same size. */
export function rateLimit(perSecond: number, clock: Clock): RateLimit {
  let left = perSecond
  let filledAt = clock.now()
  return () => {
    const now = clock.now()
    left = Math.min(perSecond, left + ((now - filledAt) / 1_000) * perSecond)
    filledAt = now
    if (left < 1) return false
    left -= 1
    return true
  }
}
