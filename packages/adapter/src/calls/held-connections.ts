import { listenTo } from '../operations/listeners.js'
import type { PoolBinding, PooledConnection } from './pools.js'

/** The connections that a fault takes from a pool. */
export interface HeldConnections {
  /**
   * Takes the free connections now, and others as they come back.
   *
   * @param wanted Returns how many connections to hold.
   * @returns A promise that settles when the free connections are taken.
   */
  readonly takeFrom: (take: () => Promise<PooledConnection>, wanted: () => number) => Promise<void>
  /** Takes the connections that are free now. */
  readonly fill: () => void
  /** Releases one held connection and returns it. */
  readonly next: () => PooledConnection | undefined
  readonly giveAllBack: () => void
}

/**
 * Makes a holder of connections.
 *
 * @param counts The counts of taken and returned connections, which the holder updates.
 */
export function held(pool: PoolBinding, counts: { held: number; returned: number }): HeldConnections {
  const connections = new Map<PooledConnection, () => void>()
  const taking = new Set<Promise<void>>()
  const failures: unknown[] = []
  let isOver = false
  let take: (() => Promise<PooledConnection>) | undefined
  let wanted = (): number => 0
  let stopListening = (): void => undefined

  const giveBack = (connection: PooledConnection, error?: Error): void => {
    counts.returned += 1
    pool.giveBack(connection, error)
  }
  const letGo = (connection: PooledConnection): PooledConnection => {
    connections.get(connection)?.()
    connections.delete(connection)
    return connection
  }
  const hold = (connection: PooledConnection): void => {
    counts.held += 1
    if (isOver) {
      giveBack(connection)
      return
    }
    // A pool requires the user of a connection to handle its `error` events.
    const stop = listenTo(connection, 'error', (error) => giveBack(letGo(connection), error as Error))
    connections.set(connection, stop)
  }
  const fill = (): void => {
    while (take !== undefined && !isOver && connections.size + taking.size < wanted() && pool.free() > 0) {
      const taken = take()
        .then(hold, (error: unknown) => void failures.push(error))
        .finally(() => taking.delete(taken))
      taking.add(taken)
    }
  }
  // The pool emits `release` before the connection is free.
  const onRelease = (): void => process.nextTick(fill)

  return {
    async takeFrom(from, count) {
      take = from
      wanted = count
      stopListening = listenTo(pool.emitter, 'release', onRelease)
      fill()
      await Promise.all(taking)
      if (failures.length > 0) throw failures[0]
    },
    fill,
    next() {
      const [connection] = connections.keys()
      return connection === undefined ? undefined : letGo(connection)
    },
    giveAllBack() {
      isOver = true
      stopListening()
      for (const connection of [...connections.keys()]) giveBack(letGo(connection))
    },
  }
}
