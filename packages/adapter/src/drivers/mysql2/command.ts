import { injectedBy } from '@chaos/core'
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { endConnection } from '../../sockets/connection-end.js'

/** What mysql2 makes of a statement. */
export interface StatementCommand extends EventEmitter {
  /** Absent where a statement is executed that its caller has prepared. */
  readonly sql?: string
  readonly values?: unknown
  readonly timeout?: number
  readonly namedPlaceholders?: unknown
  onResult?: ((error: Error | null, rows?: unknown, fields?: unknown) => void) | undefined
  readonly statement?: { readonly query?: string }
  /** Begins it, once it is its turn on the connection. */
  start: (packet: unknown, connection: unknown) => unknown
  _connection: unknown
  readonly _queryOptions?: object
  readonly _executeOptions?: object
}

/** What a statement answers, in the form of the promises of mysql2. */
export type Reply = readonly [rows: unknown, fields: unknown]

/** Whether a command is a statement that an application gave: a query, or an execution of a prepared one. */
export function isStatementCommand(command: object): command is StatementCommand {
  return '_queryOptions' in command || '_executeOptions' in command
}

/** The text of a statement. */
export function textOf({ sql, statement }: StatementCommand): string {
  return sql ?? statement?.query ?? ''
}

/**
 * The same statement once more, with an answer of its own.
 *
 * @param tells Whether rows go to the listeners of the original one by one, where its caller gave no callback.
 */
export function sendCopy(
  command: StatementCommand,
  add: (copy: StatementCommand) => void,
  tells: boolean,
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
    // A prepared statement is known when it is begun, and not before. That one could not be prepared the driver tells by another `start`.
    Object.defineProperty(copy, 'statement', { get: () => command.statement })
    const begin = copy.start
    copy.start = (packet, connection) => {
      command._connection = connection
      return Reflect.apply(Object.hasOwn(command, 'start') ? command.start : begin, copy, [packet, connection])
    }
    if (command.onResult === undefined) {
      copy.once('error', reject)
      copy.once('end', () => resolve([undefined, undefined]))
      if (tells)
        for (const event of ['fields', 'result']) copy.on(event, (...args: unknown[]) => command.emit(event, ...args))
    }
    add(copy)
  })
}

/** A connection that can break. */
export interface LosableConnection {
  readonly stream: Socket
  /** What runs on it, and what waits. */
  _command: unknown
  readonly _commands: { readonly push: (command: unknown) => void }
  /** The error that comes when it closes. */
  _protocolError: unknown
  /** Set once the driver itself ends it: from then on it tells nobody that it broke. */
  readonly _closing?: boolean
}

/** Breaks a connection in the middle of a statement, and lets the driver tell everybody who is concerned. */
function loseWith(connection: LosableConnection, command: StatementCommand, error: Error): void {
  if (connection._command === null || connection._command === undefined) connection._command = command
  else connection._commands.push(command)
  if (isOfSocket(error)) connection.stream.destroy(error)
  else {
    connection._protocolError = error
    endConnection(connection.stream, 'end', injectedBy(error) as string)
  }
}

/** Tells the caller of a statement what became of it, on the path and in the order of the driver. */
export function settle(command: StatementCommand, connection: LosableConnection, answer: Promise<unknown>): void {
  const tell = (error: Error | null, [rows, fields]: Reply): void => {
    // Its caller has heard already that it could not be prepared.
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
  // Outside of any promise: what a callback throws is its own.
  answer.then(
    (reply) => process.nextTick(tell, null, Array.isArray(reply) ? reply : [reply, undefined]),
    (error: unknown) => {
      const endsConnection =
        injectedBy(error) !== undefined && (isOfSocket(error as Error) || Reflect.get(error as Error, 'fatal') === true)
      if (endsConnection && !connection.stream.destroyed && connection._closing !== true)
        loseWith(connection, command, error as Error)
      else process.nextTick(tell, error, [])
    },
  )
}

/** Whether an error is one of a socket; that of a statement's own timeout has a `syscall` too. */
function isOfSocket(error: Error): boolean {
  return 'syscall' in error && error.syscall !== 'query'
}
