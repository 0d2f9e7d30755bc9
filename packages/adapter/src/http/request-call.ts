import type { Held, RestOfOperation, SeamOperation } from '@chaos/core/authoring'
import type { HttpAnswer } from '../errors/http.js'

/** A request that has not reached the service. */
export interface RequestCall extends SeamOperation {
  readonly later: (keep: (rest: RestOfRequest) => Held) => unknown
}

/** The ways to continue a held request. */
export interface RestOfRequest extends RestOfOperation {
  /** Answers the request in place of the service, which never gets it. */
  readonly answer: (answer: HttpAnswer, body: Buffer) => void
}

/** Acts on a chosen request. Returns what the target's own function returns. */
export type ActOnRequest = (call: RequestCall) => unknown
