import { messageOf, printable } from '@chaos/core/authoring'
import type { Attempt } from './attempt.js'

/** The statuses of 4xx after which a request may succeed later: timeout, conflict, too early, too many requests. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 423, 425, 429])
/** Errors of the caller's own: programming errors, and permissions. */
const FINAL_NAMES: ReadonlySet<unknown> = new Set([
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'ZodError',
  'ValidationError',
])
const FINAL_CODES =
  /^(?:EACCES|EPERM|EINVAL|ERR_INVALID_\w+|(?:22|23|28|42)[0-9A-Z]{3}|ER_(?:DUP_ENTRY|PARSE_ERROR|ACCESS_DENIED_ERROR))$/
/** What Redis says of a command that it will never take. */
const FINAL_REPLY = /^(?:ERR|WRONGTYPE|NOAUTH|NOPERM|WRONGPASS)\b/
/** Errors of a request that has not reached its service. */
const UNREACHED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])
/** How deep errors are looked for in errors. */
const MAX_DEPTH = 5
const MAX_ERRORS = 20

/** Whether no later attempt can succeed: the request itself is wrong, or forbidden. A caller that gave up is no such failure. */
export function isFinalFailure({ status, error, isCancelled }: Attempt): boolean {
  if (isCancelled) return false
  if (isFailure(status)) return status < 500 && !PASSING.has(status)
  const name = fieldOf(error, 'name')
  const code = fieldOf(error, 'code')
  if (FINAL_NAMES.has(name)) return true
  // `fetch` fails with a TypeError when the network does, and says why.
  if (name === 'TypeError') return fieldOf(error, 'cause') === undefined
  if (name === 'ReplyError') return FINAL_REPLY.test(messageOf(error))
  return typeof code === 'string' && FINAL_CODES.test(code)
}

/** Whether a response says that its request has failed. A client may make an error of it, and throw that into the request. */
function isFailure(status: number | undefined): status is number {
  return status !== undefined && status >= 400
}

/** Whether the service may have done what an attempt asked for, though it failed. */
export function mayHaveHappened({ error, status }: Attempt): boolean {
  if (status === 429 || status === 503) return false
  return !within(error).some((one) => UNREACHED.has(fieldOf(one, 'code')))
}

/** Says why an attempt failed: `status 503`, `ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:6379`. */
export function reasonOf({ error, status, ok }: Attempt): string {
  if (ok === undefined) return 'no answer'
  if (isFailure(status)) return `status ${status}`
  if (error === undefined) return 'a lost connection'
  const kind = fieldOf(error, 'code') ?? fieldOf(error, 'name')
  return `${typeof kind === 'string' ? `${printable(kind, { max: 40 })}: ` : ''}${messageOf(error, { max: 120 })}`
}

/** Whether two attempts failed for the same reason: the same status, or errors of the same name, code and message. */
export function failedAlike(one: Attempt, other: Attempt): boolean {
  if (one.status !== other.status) return false
  if (isFailure(one.status)) return true
  return (
    one.error === other.error ||
    (fieldOf(one.error, 'name') === fieldOf(other.error, 'name') &&
      fieldOf(one.error, 'code') === fieldOf(other.error, 'code') &&
      messageOf(one.error) === messageOf(other.error))
  )
}

/** Whether an error tells the reason of a failed attempt: it is that error, holds it, or repeats its code, status or message. */
export function tells(error: unknown, { error: reason, status }: Attempt): boolean {
  const told = within(error)
  if (reason === undefined) {
    if (status === undefined) return true
    return told.some(
      (one) =>
        fieldOf(one, 'status') === status ||
        fieldOf(one, 'statusCode') === status ||
        messageOf(one).includes(String(status)),
    )
  }
  const code = fieldOf(reason, 'code')
  const message = messageOf(reason)
  return told.some(
    (one) =>
      one === reason ||
      (code !== undefined && fieldOf(one, 'code') === code) ||
      (message !== '' && messageOf(one).includes(message)),
  )
}

/** An error, its causes, and the errors that it collects. */
function within(error: unknown): readonly unknown[] {
  const found = new Set<unknown>()
  const add = (one: unknown, depth: number): void => {
    if (typeof one !== 'object' || one === null || depth > MAX_DEPTH || found.size >= MAX_ERRORS || found.has(one))
      return
    found.add(one)
    for (const field of ['cause', 'originalError', 'error'] as const) add(fieldOf(one, field), depth + 1)
    const errors = fieldOf(one, 'errors')
    if (Array.isArray(errors)) for (const each of errors.slice(0, MAX_ERRORS)) add(each, depth + 1)
  }
  add(error, 0)
  return [...found]
}

function fieldOf(error: unknown, field: string): unknown {
  try {
    return typeof error === 'object' && error !== null ? (Reflect.get(error, field) as unknown) : undefined
  } catch {
    // An error of the application may throw when it is read.
    return undefined
  }
}
