import type { FailingCall } from './failing-call.js'
import { loadedClass } from './loaded-module.js'
import { connectionClosed, isPostgresJs, postgresJsError } from './postgres-js.js'

/** The fields of an ErrorResponse, by their PostgreSQL names. */
export interface ErrorResponse {
  readonly severity: 'ERROR' | 'FATAL'
  readonly code: string
  readonly message: string
  readonly detail?: string
  readonly hint?: string
  readonly where?: string
  readonly file: string
  readonly line: string
  readonly routine: string
}

const interrupted = (line: string) => ({ file: 'postgres.c', line, routine: 'ProcessInterrupts' }) as const

/**
 * Errors of the `pg` driver: a `DatabaseError` with every field that PostgreSQL 15.20 sends, including source file and
 * line, or the driver's own error if no answer comes. A client of postgres.js gets its `PostgresError` instead, and its
 * own error of a closed connection.
 */
export const postgresErrors = {
  'postgres/deadlock': (call?: FailingCall) =>
    databaseError(call, {
      severity: 'ERROR',
      code: '40P01',
      message: 'deadlock detected',
      detail:
        'Process 2041 waits for ShareLock on transaction 731; blocked by process 2042.\nProcess 2042 waits for ShareLock on transaction 730; blocked by process 2041.',
      hint: 'See server log for query details.',
      where: 'while updating tuple (0,2) in relation "accounts"',
      file: 'deadlock.c',
      line: '1147',
      routine: 'DeadLockReport',
    }),
  'postgres/serialization-failure': (call?: FailingCall) =>
    databaseError(call, {
      severity: 'ERROR',
      code: '40001',
      message: 'could not serialize access due to concurrent update',
      file: 'nodeModifyTable.c',
      line: '2407',
      routine: 'ExecUpdate',
    }),
  'postgres/statement-timeout': (call?: FailingCall) =>
    databaseError(call, {
      severity: 'ERROR',
      code: '57014',
      message: 'canceling statement due to statement timeout',
      ...interrupted('3319'),
    }),
  'postgres/read-only': (call?: FailingCall) =>
    databaseError(call, {
      severity: 'ERROR',
      code: '25006',
      message: 'cannot execute INSERT in a read-only transaction',
      file: 'utility.c',
      line: '414',
      routine: 'PreventCommandIfReadOnly',
    }),
  'postgres/too-many-connections': (call?: FailingCall) =>
    databaseError(call, {
      severity: 'FATAL',
      code: '53300',
      message: 'sorry, too many clients already',
      file: 'proc.c',
      line: '357',
      routine: 'InitProcess',
    }),
  'postgres/admin-shutdown': (call?: FailingCall) =>
    // postgres.js drops the answer of a server that closes the connection, and tells of the connection only.
    isPostgresJs(call?.target)
      ? connectionClosed(call)
      : databaseError(call, {
          severity: 'FATAL',
          code: '57P01',
          message: 'terminating connection due to administrator command',
          ...interrupted('3211'),
        }),
  'postgres/connection-terminated': (call?: FailingCall) =>
    isPostgresJs(call?.target) ? connectionClosed(call) : new Error('Connection terminated unexpectedly'),
  'postgres/query-timeout': () => new Error('Query read timeout'),
  'postgres/pool-timeout': () => new Error('timeout exceeded when trying to connect'),
} as const

/** Used if the application has not loaded `pg`. */
class DatabaseError extends Error {
  readonly length: number
  constructor(message: string, length: number, name: string) {
    super(message)
    this.length = length
    this.name = name
  }
}

function databaseError(call: FailingCall | undefined, response: ErrorResponse): Error {
  if (isPostgresJs(call?.target)) return postgresJsError(call, response)
  const { message, severity, code, detail, hint, where, file, line, routine } = response
  const Class = loadedClass('pg-protocol/dist/messages.js', 'DatabaseError', DatabaseError)
  const absent = undefined
  return Object.assign(new Class(message, lengthOf(response), 'error'), {
    severity,
    code,
    detail,
    hint,
    position: absent,
    internalPosition: absent,
    internalQuery: absent,
    where,
    schema: absent,
    table: absent,
    column: absent,
    dataType: absent,
    constraint: absent,
    file,
    line,
    routine,
  })
}

/**
 * Returns the length of an ErrorResponse in bytes, as the driver counts it: the length field, each field with its type
 * and terminator, the severity in two fields, and the final terminator.
 */
function lengthOf({ severity, ...fields }: ErrorResponse): number {
  const texts: string[] = [severity, severity, ...Object.values(fields as Readonly<Record<string, string>>)]
  return texts.reduce((bytes, text) => bytes + Buffer.byteLength(text) + 2, 5)
}
