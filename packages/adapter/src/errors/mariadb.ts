import type { FailingCall } from './failing-call.js'
import { loadedClass } from './loaded-module.js'

const CODES: Readonly<Record<number, string>> = {
  1040: 'ER_CON_COUNT_ERROR',
  1205: 'ER_LOCK_WAIT_TIMEOUT',
  1213: 'ER_LOCK_DEADLOCK',
  1290: 'ER_OPTION_PREVENTS_STATEMENT',
  1969: 'ER_STATEMENT_TIMEOUT',
  45009: 'ER_SOCKET_UNEXPECTED_CLOSE',
}

/** Used if the driver is bundled into the application. */
class SqlError extends Error {
  sqlMessage: string
  sql: string | null
  fatal: boolean
  errno: number
  sqlState: string
  code: string
  constructor(
    message: string,
    sql: string | null,
    fatal: boolean,
    info: { readonly threadId: number } | null,
    sqlState: string,
    errno: number,
  ) {
    super(
      `(conn:${info?.threadId ?? -1}, no: ${errno}, SQLState: ${sqlState}) ${message}${sql === null ? '' : `\nsql: ${sql}`}`,
    )
    this.name = 'SqlError'
    this.sqlMessage = message
    this.sql = sql
    this.fatal = fatal
    this.errno = errno
    this.sqlState = sqlState
    this.code = CODES[errno] ?? 'UNKNOWN'
  }
}

/** Returns whether the target of a call is a pool or a connection of `mariadb`. */
export function isMariadb(target: unknown): boolean {
  return typeof target === 'object' && target !== null && 'importFile' in target && 'batch' in target
}

/**
 * Makes an error of the `mariadb` driver: a `SqlError`, which names its connection and its statement.
 *
 * @param sql The statement, if one was running.
 */
export function sqlError(
  call: FailingCall | undefined,
  errno: number,
  sqlState: string,
  message: string,
  sql: string | undefined,
): Error {
  const Class = loadedClass('mariadb/lib/misc/errors.js', 'SqlError', SqlError)
  const threadId = threadIdOf(call?.target)
  const isFatal = sqlState.startsWith('08') || sqlState === '70100'
  const statement = sql === undefined ? null : `${sql} - parameters:${parameters(call?.args?.[1])}`
  return new Class(message, statement, isFatal, threadId === undefined ? null : { threadId }, sqlState, errno)
}

function threadIdOf(target: unknown): number | undefined {
  const id: unknown = typeof target === 'object' && target !== null ? Reflect.get(target, 'threadId') : undefined
  return typeof id === 'number' ? id : undefined
}

function parameters(values: unknown): string {
  if (values === undefined || values === null) return '[]'
  const list: readonly unknown[] = Array.isArray(values) ? values : [values]
  return `[${list.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))).join(',')}]`
}
