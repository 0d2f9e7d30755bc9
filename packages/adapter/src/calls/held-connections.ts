import type { PoolBinding, PooledConnection } from './pools.js'

/** Connections of a pool that are kept from its application. */
export interface HeldConnections {
  /** Takes what is free, and what comes back later. @param wanted How many are to be held. @returns Settles when what was free has been taken. */
  readonly takeFrom: (take: () => Promise<PooledConnection>, wanted: () => number) => Promise<void>
  /** Takes what is free now. */
  readonly fill: () => void
  /** One of them, which is held no more. */
  readonly next: () => PooledConnection | undefined
  readonly giveAllBack: () => void
}

/** @param counts What was taken and what went back. */
export function held(pool: PoolBinding, counts: { held: number; returned: number }): HeldConnections {
  const connections = new Map<PooledConnection, (error: Error) => void>()
  const taking = new Set<Promise<void>>()
  const failures: unknown[] = []
  let isOver = false
  let take: (() => Promise<PooledConnection>) | undefined
  let wanted = (): number => 0

  const giveBack = (connection: PooledConnection, error?: Error): void => {
    counts.returned += 1
    pool.giveBack(connection, error)
  }
  const letGo = (connection: PooledConnection): PooledConnection => {
    connection.off('error', connections.get(connection) as () => void)
    connections.delete(connection)
    return connection
  }
  const hold = (connection: PooledConnection): void => {
    counts.held += 1
    if (isOver) {
      giveBack(connection)
      return
    }
    // A connection in use has to be listened to by whoever uses it.
    const onError = (error: Error): void => giveBack(letGo(connection), error)
    connections.set(connection, onError)
    connection.on('error', onError)
  }
  const fill = (): void => {
    while (take !== undefined && !isOver && connections.size + taking.size < wanted() && pool.free() > 0) {
      const taken = take()
        .then(hold, (error: unknown) => void failures.push(error))
        .finally(() => taking.delete(taken))
      taking.add(taken)
    }
  }
  // A connection is told of before it is free.
  const onRelease = (): void => process.nextTick(fill)

  return {
    async takeFrom(from, count) {
      take = from
      wanted = count
      pool.emitter.on('release', onRelease)
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
      pool.emitter.off('release', onRelease)
      for (const connection of [...connections.keys()]) giveBack(letGo(connection))
    },
  }
}
