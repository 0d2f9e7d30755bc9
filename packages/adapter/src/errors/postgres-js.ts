import type { FailingCall } from './failing-call.js'
import { loadedClass } from './loaded-module.js'
import type { ErrorResponse } from './postgres.js'

/** Used if the application has not loaded the CommonJS build, and its client does not carry the class. */
class PostgresError extends Error {
  constructor(fields: Readonly<Record<string, unknown>> & { readonly message: string }) {
    super(fields.message)
    this.name = this.constructor.name
    Object.assign(this, fields)
  }
}

/** The client of postgres.js: a function that makes queries. */
interface Sql {
  readonly unsafe: unknown
  readonly PostgresError?: typeof PostgresError
  readonly options?: { readonly host?: unknown; readonly port?: unknown }
}

/** Returns whether the target of a call is a client of postgres.js. */
export function isPostgresJs(target: unknown): target is Sql {
  return typeof target === 'function' && 'unsafe' in target && 'json' in target && 'array' in target
}

/** Makes the error of an answer of the server, with the fields in the order in which the driver sets them. */
export function postgresJsError(call: FailingCall | undefined, response: ErrorResponse): Error {
  const { severity, code, message, detail, hint, where, file, line, routine } = response
  const target = call?.target as Sql
  const Class = target.PostgresError ?? loadedClass('postgres/cjs/src/errors.js', 'PostgresError', PostgresError)
  const optional = { detail, hint, where }
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
  const error = new Class({ severity_local: severity, severity, code, message, ...given, file, line, routine })
  return withQuery(error, call)
}

/** Makes the error of a query whose connection is closed by the server. */
export function connectionClosed(call: FailingCall | undefined): Error {
  const { host, port } = (call?.target as Sql).options ?? { host: call?.host, port: call?.port }
  const code = 'CONNECTION_CLOSED'
  const error = Object.assign(new Error(`write ${code} ${String(host)}:${String(port)}`), {
    code,
    errno: code,
    address: host,
    port,
  })
  return withQuery(error, call)
}

/** Adds the query to an error: `` sql`select ${1}` `` or `sql.unsafe('select 1', [])`. */
function withQuery(error: Error, call: FailingCall | undefined): Error {
  const [first, ...rest] = call?.args ?? []
  const isTagged = Array.isArray(first)
  const given: unknown = isTagged ? rest : (rest[0] ?? [])
  const args: readonly unknown[] = Array.isArray(given) ? given : []
  const query = isTagged
    ? first.map((part: unknown, at) => (at === 0 ? String(part) : `$${at}${String(part)}`)).join('')
    : first
  const hidden = { query, parameters: args, args, types: [] }
  for (const [key, value] of Object.entries(hidden)) Object.defineProperty(error, key, { value })
  return error
}
