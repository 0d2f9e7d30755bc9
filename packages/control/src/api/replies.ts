import type { ChaosError, ErrorDetails } from '@chaos/core'
import type { AuditEntry } from './audit-log.js'
import { asChaosError, problemOf, PROBLEM_TYPE } from './errors.js'
import { toJson } from './json.js'
import type { Route } from './route.js'

/** An answer, before it is sent. */
export interface Reply {
  readonly status: number
  readonly type: string
  /** Empty for status 204. */
  readonly text: string
  /** What the audit log says of it. */
  readonly effect: Pick<AuditEntry, 'ids' | 'outcome' | 'code'>
}

/** The media type of JSON. */
const JSON_TYPE = 'application/json; charset=utf-8'

/** The answer of a route. */
export function replyOf({ status }: Pick<Route, 'status'>, result: unknown): Reply {
  if (status === 204) return { status, type: JSON_TYPE, text: '', effect: {} }
  return { status, type: JSON_TYPE, text: toJson(result), effect: effectOf(result) }
}

/**
 * The answer for an error.
 *
 * @param fieldOf Says where in the request the option is that the error is about; `undefined` if it is not in there.
 */
export function refusalOf(thrown: unknown, fieldOf?: (details: ErrorDetails) => string | undefined): Reply {
  const error: ChaosError = asChaosError(thrown)
  const problem = problemOf(error, fieldOf)
  return { status: problem.status, type: PROBLEM_TYPE, text: toJson(problem), effect: { code: error.code } }
}

/** Reads from a result which injections it concerns. */
function effectOf(result: unknown): Reply['effect'] {
  const { id, status, outcome, injections, stopped } = Object(result) as Readonly<Record<string, unknown>>
  const list = Array.isArray(injections) ? injections : stopped
  if (Array.isArray(list)) return { ids: (list as readonly { readonly id: string }[]).map((state) => state.id) }
  if (typeof id !== 'string') return {}
  const end = outcome ?? status
  return { ids: [id], ...(typeof end === 'string' ? { outcome: end } : {}) }
}
