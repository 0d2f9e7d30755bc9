/**
 * Keeps the statements of each connection in order, since a server executes one at a time and a transaction is a
 * sequence.
 */
export interface StatementQueue {
  /**
   * Returns a promise that settles once all earlier statements of the connection are sent or given up; `undefined` if
   * none waits.
   */
  readonly ahead: (connection: object) => Promise<void> | undefined
  /**
   * Makes later statements of the connection wait.
   *
   * @returns A function that lets them go on.
   */
  readonly take: (connection: object) => () => void
}

export function statementQueue(): StatementQueue {
  const last = new WeakMap<object, Promise<void>>()
  return {
    ahead: (connection) => last.get(connection),
    take(connection) {
      let release = (): void => undefined
      const before = last.get(connection)
      const own = new Promise<void>((resolve) => (release = resolve))
      const both = before === undefined ? own : before.then(() => own)
      last.set(connection, both)
      void both.then(() => {
        if (last.get(connection) === both) last.delete(connection)
      })
      return release
    },
  }
}
