import type { InjectionContext } from '@chaos/core/authoring'

/** What tells of events. */
export interface Emitter {
  readonly on: (event: string, listener: (...args: never) => void) => unknown
  readonly off: (event: string, listener: (...args: never) => void) => unknown
}

/** A connection that a pool has handed out. */
export type PooledConnection = Emitter

/** An application's call for a connection. */
interface Attempt {
  /** Lets the pool answer it. */
  readonly pass: () => unknown
  /** Answers it with a connection that was taken before. */
  readonly handOver: (connection: PooledConnection) => unknown
}

/** How the connections of a pool are taken, and by whom. */
export interface PoolBinding {
  /** Tells by `release` that a connection came back. */
  readonly emitter: Emitter
  /** Most connections that the pool makes. `Infinity`: as many as are asked for. */
  readonly max: () => number
  /** Connections that it can hand out at once, new ones included. */
  readonly free: () => number
  /** Gives one back. @param error What broke it meanwhile. */
  readonly giveBack: (connection: PooledConnection, error?: Error) => void
  /** Covers the handing out. @returns Takes a connection from beneath. */
  readonly lay: (context: InjectionContext, onAttempt: (attempt: Attempt) => unknown) => () => Promise<PooledConnection>
}
