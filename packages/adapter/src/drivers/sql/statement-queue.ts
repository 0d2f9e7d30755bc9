/** Keeps the statements of each connection in the order in which they were given to it: its server does one at a time, and a transaction is a sequence. */
export interface StatementQueue {
  /** Settles when whatever was given to the connection before has been sent or given up; `undefined` when nothing waits. */
  readonly ahead: (connection: object) => Promise<void> | undefined
  /** Lets what comes after wait. @returns Called when that may go. */
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
