import { monotonicMs } from './programs/monotonic.js'
import type { AgentNews } from './programs/agents-protocol.js'

/** What has happened in the processes of a fleet, by CLOCK_MONOTONIC. It arrives a little later than it happens. */
export interface Timeline {
  /** The ids of the instances in which the fault is in force. */
  readonly inForce: ReadonlySet<string>
  /** All that happened from a time on, in the order of arrival. */
  since(atMs: number): readonly AgentNews[]
  /** Waits until something is so. @throws Error if it is not within `withinMs`. Default 60,000: a limit for what hangs. */
  when(isSo: () => boolean, withinMs?: number): Promise<void>
}

/** A timeline that is being written. */
export interface WrittenTimeline extends Timeline {
  add(news: readonly AgentNews[]): void
  /** These instances have ended with their process, and what was in force in them. */
  gone(ids: readonly string[]): void
}

const DEFAULT_LIMIT_MS = 60_000

export function timeline(): WrittenTimeline {
  const all: AgentNews[] = []
  const inForce = new Set<string>()
  const dead = new Set<string>()
  const looks = new Set<() => void>()
  const look = (): void => {
    for (const one of looks) one()
  }
  return {
    inForce,
    since: (atMs) => all.filter((one) => one.atMs >= atMs),
    when(isSo, withinMs = DEFAULT_LIMIT_MS) {
      const { stack } = new Error()
      return new Promise((resolve, reject) => {
        const stop = (): void => {
          looks.delete(one)
          clearTimeout(limit)
        }
        const one = (): void => {
          if (!isSo()) return
          stop()
          resolve()
        }
        const limit = setTimeout(() => {
          stop()
          reject(
            new Error(`Not so within ${withinMs} ms, with ${inForce.size} in force: ${String(isSo)} ${stack ?? ''}`),
          )
        }, withinMs)
        looks.add(one)
        one()
      })
    },
    add(news) {
      for (const one of news) {
        all.push(one)
        if (one.what === 'applied' && !dead.has(one.id)) inForce.add(one.id)
        if (one.what === 'reverted') inForce.delete(one.id)
      }
      look()
    },
    gone(ids) {
      for (const id of ids) {
        dead.add(id)
        inForce.delete(id)
      }
      look()
    },
  }
}

/** What a fleet did from an instant on. Times are in ms after it. */
export interface Account {
  readonly applied: number
  readonly reverted: number
  readonly lastAppliedMs: number | undefined
  readonly lastRevertedMs: number | undefined
}

/** Sums up what happened from an instant on, until now. */
export function accountSince(events: Timeline, atMs: number): Account {
  const news = events.since(atMs)
  const last = (what: AgentNews['what']): number | undefined => {
    const times = news.filter((one) => one.what === what).map((one) => one.atMs - atMs)
    return times.length === 0 ? undefined : times.reduce((latest, time) => Math.max(latest, time))
  }
  const count = (what: AgentNews['what']): number => news.filter((one) => one.what === what).length
  return {
    applied: count('applied'),
    reverted: count('reverted'),
    lastAppliedMs: last('applied'),
    lastRevertedMs: last('reverted'),
  }
}

/** Harms, and returns the instant before. */
export async function instantOf(harm: () => unknown): Promise<number> {
  const atMs = monotonicMs()
  await harm()
  return atMs
}
