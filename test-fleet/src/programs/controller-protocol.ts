import type { FleetControllerOptions, RunEnd } from '@chaos/fleet/controller'
import type { RedisTransportOptions } from '@chaos/fleet'

/** What a controller's process is: JSON throughout. */
export interface ControllerConfig extends Omit<FleetControllerOptions, 'transport' | 'clock' | 'journal'> {
  readonly redis: Omit<RedisTransportOptions, 'fleet'>
}

/** An injection that is asked for. */
export interface InjectCall {
  readonly target: string
  readonly fault: string
  readonly leaseMs?: number
  readonly id?: string
}

/** How long a call took, by CLOCK_MONOTONIC. */
export interface Timed {
  readonly askedAtMs: number
  readonly answeredAtMs: number
}

/** An injection that is in force. */
export interface Injected extends Timed {
  readonly id: string
  /** When its plan was published. */
  readonly openedAtMs: number
}

/** That a run has ended, why, and when its controller knew. */
export interface RunEnded {
  readonly atMs: number
  readonly runId: string
  readonly end: RunEnd
}
