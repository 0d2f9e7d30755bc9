import type { FailingCall } from './failing-call.js'
import { isMariadb, sqlError } from './mariadb.js'

/**
 * Errors of the `mysql2` driver: a plain `Error` with the server's number and state, and the statement if one was
 * running. A client of `mariadb` gets its `SqlError` instead. Numbers, states and texts come from MariaDB 10.11.19; those of MySQL are the same except where a text names
 * the server.
 */
export const mysqlErrors = {
  'mysql/deadlock': (call: FailingCall) =>
    serverError(
      call,
      'ER_LOCK_DEADLOCK',
      1213,
      '40001',
      'Deadlock found when trying to get lock; try restarting transaction',
      statementOf(call),
    ),
  'mysql/lock-wait': (call: FailingCall) =>
    serverError(
      call,
      'ER_LOCK_WAIT_TIMEOUT',
      1205,
      'HY000',
      'Lock wait timeout exceeded; try restarting transaction',
      statementOf(call),
    ),
  'mysql/read-only': (call: FailingCall) =>
    serverError(
      call,
      'ER_OPTION_PREVENTS_STATEMENT',
      1290,
      'HY000',
      'The MariaDB server is running with the --read-only option so it cannot execute this statement',
      statementOf(call),
    ),
  // Sent while connecting, when no statement is running.
  'mysql/too-many-connections': (call?: FailingCall) =>
    serverError(call, 'ER_CON_COUNT_ERROR', 1040, '08004', 'Too many connections', undefined),
  'mysql/query-timeout': (call?: FailingCall) =>
    // The server ends the statement for a client of mariadb; mysql2 counts the time itself.
    isMariadb(call?.target)
      ? sqlError(
          call,
          1969,
          '70100',
          'Query execution was interrupted (max_statement_time exceeded)',
          statementOf(call),
        )
      : Object.assign(new Error('Query inactivity timeout'), {
          errorno: 'PROTOCOL_SEQUENCE_TIMEOUT',
          code: 'PROTOCOL_SEQUENCE_TIMEOUT',
          syscall: 'query',
        }),
  'mysql/connection-lost': (call?: FailingCall) =>
    isMariadb(call?.target)
      ? sqlError(call, 45009, '08S01', 'socket has unexpectedly been closed', undefined)
      : Object.assign(new Error('Connection lost: The server closed the connection.'), {
          fatal: true,
          code: 'PROTOCOL_CONNECTION_LOST',
        }),
} as const

function serverError(
  call: FailingCall | undefined,
  code: string,
  errno: number,
  sqlState: string,
  message: string,
  sql: string | undefined,
): Error {
  if (isMariadb(call?.target)) return sqlError(call, errno, sqlState, message, sql)
  return Object.assign(new Error(message), { code, errno, sqlState, sqlMessage: message, sql })
}

/** Returns the statement of `query(sql, values)` or `query({ sql, values })`. */
function statementOf(call: FailingCall | undefined): string | undefined {
  const first = call?.args?.[0]
  try {
    const sql: unknown = typeof first === 'object' && first !== null ? Reflect.get(first, 'sql') : first
    return typeof sql === 'string' ? sql : undefined
  } catch {
    // Unreadable arguments must not change the error.
    return undefined
  }
}
