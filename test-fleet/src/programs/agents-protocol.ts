import type { InstanceState, PinnedKeys, RedisTransportOptions } from '@chaos/fleet'

/** What the agents of one process are. */
export interface AgentsConfig {
  readonly count: number
  /** The number of the first; each has its number as the label `agent`. */
  readonly from: number
  readonly redis: Omit<RedisTransportOptions, 'fleet'>
  readonly fleet: string
  readonly service: string
  readonly environment: string
  readonly keys: PinnedKeys
  readonly labels?: Readonly<Record<string, string>>
  readonly idlePollMs?: number
  /** Whether no wake-up reaches the agents. Default `false`. */
  readonly isDeaf?: boolean
  /** What every read tells as the rest of the lease, in place of what the engine tells. */
  readonly remainingMs?: number
  /** Whether joining waits until each agent has read once and is called. Default `until-ready`. */
  readonly waits?: 'until-ready' | 'never'
  /** How often the application calls what may be broken, in ms. Default: never. */
  readonly callEveryMs?: number
}

/** When the fault comes, and when it goes. */
export type Moment = 'applied' | 'reverted'

/** What happened in one agent's process, and when by CLOCK_MONOTONIC. */
export interface AgentNews {
  readonly id: string
  readonly what: Moment
  readonly atMs: number
}

/** How the agents of a process are right now. */
export interface Survey {
  /** The ids of the instances whose calls are affected. */
  readonly broken: readonly string[]
  readonly states: readonly InstanceState[]
}

/** What was seen in a process. */
export interface Watch {
  /** The longest that the event loop was late since it was last asked, in ms. */
  readonly lateMs: number
  /** When a call of the application was affected last, by CLOCK_MONOTONIC. */
  readonly brokenAtMs: number
}

/** What the agents of a process have done and used since it started. */
export interface AgentCounts {
  readonly reads: number
  readonly failedReads: number
  readonly acks: number
  readonly wakes: number
  readonly cpuMs: number
  readonly rssBytes: number
  readonly atMs: number
}
