import type { Command } from '../../calls/commands.js'
import { answerInStages, type Stage } from './stages.js'

/** The checkout of connections of a pool. */
export interface PoolCheckout<Connection> {
  readonly take: () => Promise<Connection>
  readonly giveBack: (connection: Connection) => void
}

/**
 * Lets faults affect the checkout of a connection. A connection that its caller does not get goes back to the pool.
 */
export async function answerPoolCheckout<Connection>(
  stages: readonly Stage[],
  on: Command['on'],
  { take, giveBack }: PoolCheckout<Connection>,
): Promise<Connection> {
  const spare = new Set<Connection>()
  const state = { isAnswered: false }
  const send = async (): Promise<Connection> => {
    const connection = await take()
    if (state.isAnswered) giveBack(connection)
    else spare.add(connection)
    return connection
  }
  try {
    const connection = (await answerInStages(stages, { on, send })) as Connection
    spare.delete(connection)
    return connection
  } finally {
    state.isAnswered = true
    for (const connection of spare) giveBack(connection)
  }
}
