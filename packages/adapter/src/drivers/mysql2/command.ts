import type { EventEmitter } from 'node:events'

/** A packet of the server. */
export interface Packet {
  readonly isError: () => boolean
  readonly asError: (encoding: string) => Error
}

type OnResult = (error: Error | null, rows?: unknown, fields?: unknown) => void

/** A command that a connection runs when its turn comes. */
export interface Runnable {
  /** Starts the command, or gives it a packet. Returns whether the command is done. */
  readonly execute: (packet: Packet | undefined, connection: object) => boolean
  readonly onResult?: OnResult | undefined
}

/** A statement as mysql2 represents it. */
export interface StatementCommand extends Runnable, EventEmitter {
  /** Absent if a prepared statement is executed. */
  readonly sql?: string
  readonly values?: unknown
  /** In ms. `0` or absent: no limit. */
  readonly timeout?: number
  readonly namedPlaceholders?: unknown
  readonly statement?: { readonly query?: string }
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
 * Copies a statement, with its own answer.
 *
 * @param emitsRows Whether the copy emits rows on the original statement, if that has no callback.
 */
export function copyOf(command: StatementCommand, onResult: OnResult, emitsRows: boolean): StatementCommand {
  const Class = command.constructor as new (options: object, onResult: OnResult | undefined) => StatementCommand
  const copy = new Class(
    (command._queryOptions ?? command._executeOptions) as object,
    command.onResult === undefined ? undefined : onResult,
  )
  const { sql, values, namedPlaceholders, statement } = command
  Object.assign(copy, { sql, values, namedPlaceholders }, statement && { statement })
  if (command.onResult !== undefined) return copy
  copy.once('error', (error: Error) => onResult(error))
  copy.once('end', () => onResult(null))
  if (emitsRows)
    for (const event of ['fields', 'result']) copy.on(event, (...args: unknown[]) => command.emit(event, ...args))
  return copy
}
