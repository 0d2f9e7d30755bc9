import type { Command, CommandSeam } from '../../calls/commands.js'

/** The checkout of connections of a pool. */
export interface PoolCheckout<Connection> {
  readonly take: () => Promise<Connection>
  readonly giveBack: (connection: Connection) => void
}

/**
 * Lets a fault affect the checkout of a connection. A connection that its caller does not get goes back to the pool.
 */
export async function answerPoolCheckout<Connection>(
  seam: CommandSeam,
  command: Omit<Command, 'proceed'>,
  { take, giveBack }: PoolCheckout<Connection>,
): Promise<Connection> {
  const spare = new Set<Connection>()
  const state = { isAnswered: false }
  const proceed = async (): Promise<Connection> => {
    const connection = await take()
    if (state.isAnswered) giveBack(connection)
    else spare.add(connection)
    return connection
  }
  try {
    const connection = (await seam.answer({ ...command, proceed })) as Connection
    spare.delete(connection)
    return connection
  } finally {
    state.isAnswered = true
    for (const connection of spare) giveBack(connection)
  }
}
