import { injectedBy } from '@chaos/core'
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { endConnection } from '../../sockets/connection-end.js'

/** A statement as mysql2 represents it. */
export interface StatementCommand extends EventEmitter {
  /** Absent if a prepared statement is executed. */
  readonly sql?: string
  readonly values?: unknown
  readonly timeout?: number
  readonly namedPlaceholders?: unknown
  onResult?: ((error: Error | null, rows?: unknown, fields?: unknown) => void) | undefined
  readonly statement?: { readonly query?: string }
  /** Starts the statement when its turn on the connection comes. */
  start: (packet: unknown, connection: unknown) => unknown
  _connection: unknown
  readonly _queryOptions?: object
  readonly _executeOptions?: object
}

/** The answer to a statement, in the form of the promise API. */
export type Reply = readonly [rows: unknown, fields: unknown]

/** Returns whether a command is a statement of the application: a query, or the execution of a prepared statement. */
export function isStatementCommand(command: object): command is StatementCommand {
  return '_queryOptions' in command || '_executeOptions' in command
}

/** Returns the text of a statement. */
export function textOf({ sql, statement }: StatementCommand): string {
  return sql ?? statement?.query ?? ''
}

/**
 * Sends a copy of a statement, with its own answer.
 *
 * @param emitsRows Whether the copy emits rows on the original statement, if that has no callback.
 */
export function sendCopy(
  command: StatementCommand,
  add: (copy: StatementCommand) => void,
  emitsRows: boolean,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const onResult = (error: Error | null, rows: unknown, fields: unknown): void =>
      error === null ? resolve([rows, fields]) : reject(error)
    const Class = command.constructor as new (
      options: object,
      onResult: StatementCommand['onResult'],
    ) => StatementCommand
    const copy = new Class(
      (command._queryOptions ?? command._executeOptions) as object,
      command.onResult === undefined ? undefined : onResult,
    )
    const { sql, values, namedPlaceholders } = command
    Object.assign(copy, { sql, values, namedPlaceholders })
    // The prepared statement is known only at the start. If preparing it failed, the driver has replaced `start`.
    Object.defineProperty(copy, 'statement', { get: () => command.statement })
    const begin = copy.start
    copy.start = (packet, connection) => {
      command._connection = connection
      return Reflect.apply(Object.hasOwn(command, 'start') ? command.start : begin, copy, [packet, connection])
    }
    if (command.onResult === undefined) {
      copy.once('error', reject)
      copy.once('end', () => resolve([undefined, undefined]))
      if (emitsRows)
        for (const event of ['fields', 'result']) copy.on(event, (...args: unknown[]) => command.emit(event, ...args))
    }
    add(copy)
  })
}

/** The internals of a connection that can be broken. */
export interface LosableConnection {
  readonly stream: Socket
  /** The running command, and the waiting ones. */
  _command: unknown
  readonly _commands: { readonly push: (command: unknown) => void }
  /** The error that the driver reports when the connection closes. */
  _protocolError: unknown
  /** Set once the driver itself closes the connection. From then on it reports no break. */
  readonly _closing?: boolean
}

/** Breaks a connection in the middle of a statement. The driver then reports it to all commands and listeners. */
function loseWith(connection: LosableConnection, command: StatementCommand, error: Error): void {
  if (connection._command === null || connection._command === undefined) connection._command = command
  else connection._commands.push(command)
  if (isOfSocket(error)) connection.stream.destroy(error)
  else {
    connection._protocolError = error
    endConnection(connection.stream, 'end', injectedBy(error) as string)
  }
}

/** Reports the answer to the caller of a statement, on the driver's path and in its order. */
export function settle(command: StatementCommand, connection: LosableConnection, answer: Promise<unknown>): void {
  const report = (error: Error | null, [rows, fields]: Reply): void => {
    // The caller has already got the error of preparing the statement.
    if (Object.hasOwn(command, 'start')) return
    if (error !== null && injectedBy(error) !== undefined && Object.hasOwn(error, 'sql'))
      Object.assign(error, { sql: command.sql })
    if (command.onResult === undefined) {
      if (error !== null) command.emit('error', error)
    } else if (error !== null) command.onResult(error)
    else if (fields === undefined) command.onResult(null, rows)
    else command.onResult(null, rows, fields)
    command.emit('end')
  }
  // Runs callbacks outside of promises, so that their errors are uncaught exceptions of the application.
  answer.then(
    (reply) => process.nextTick(report, null, Array.isArray(reply) ? reply : [reply, undefined]),
    (error: unknown) => {
      const endsConnection = injectedBy(error) !== undefined && meansBroken(error as Error)
      if (endsConnection && !connection.stream.destroyed && connection._closing !== true)
        loseWith(connection, command, error as Error)
      else process.nextTick(report, error, [])
    },
  )
}

/** Returns whether an error means that the connection is broken. */
export function meansBroken(error: Error): boolean {
  return isOfSocket(error) || Reflect.get(error, 'fatal') === true
}

/** Returns whether an error comes from a socket. The error of a statement timeout has a `syscall` too. */
function isOfSocket(error: Error): boolean {
  return 'syscall' in error && error.syscall !== 'query'
}
