import type { InjectionContext } from '@chaos/core/authoring'
import type { Emitter } from '../operations/listeners.js'

/** A connection that a pool has checked out. */
export type PooledConnection = Emitter

/** A request of the application for a connection. */
interface Attempt {
  /** Lets the pool answer the request. */
  readonly pass: () => unknown
  /** Answers the request with a connection that the fault holds. */
  readonly handOver: (connection: PooledConnection) => unknown
}

/** The interface to the connections of a pool. */
export interface PoolBinding {
  /** Emits `release` when a connection comes back. */
  readonly emitter: Emitter
  /** The most connections that the pool opens. `Infinity`: no limit. */
  readonly max: () => number
  /** The number of connections that the pool can hand out at once, including new ones. */
  readonly free: () => number
  /**
   * Gives a connection back to the pool.
   *
   * @param error The error that broke the connection meanwhile.
   */
  readonly giveBack: (connection: PooledConnection, error?: Error) => void
  /**
   * Patches how the pool hands out connections.
   *
   * @returns A function that takes a connection from beneath the patch.
   */
  readonly patch: (
    context: InjectionContext,
    onAttempt: (attempt: Attempt) => unknown,
  ) => () => Promise<PooledConnection>
}
