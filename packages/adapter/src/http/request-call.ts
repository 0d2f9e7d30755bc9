import type { Held, RestOfOperation, SeamOperation } from '@chaos/core/authoring'
import type { HttpAnswer } from '../errors/http.js'

/** A request that has not reached the service. */
export interface RequestCall extends SeamOperation {
  readonly later: (keep: (rest: RestOfOperation) => Held) => unknown
}

/** A request that a fault answers in place of the service. */
export interface AnswerCall {
  readonly later: (keep: (rest: RestOfAnswer) => Held) => unknown
}

/** The way to answer a held request. */
interface RestOfAnswer {
  /** Answers the request in place of the service, which never gets it. */
  readonly answer: (answer: HttpAnswer, body: Buffer) => void
}

/** The ways to continue a held request. */
export type RestOfRequest = RestOfOperation & RestOfAnswer

/** A request that may go on, fail, or be answered. */
export interface AnswerableCall extends SeamOperation {
  readonly later: (keep: (rest: RestOfRequest) => Held) => unknown
}

/** Acts on a chosen request. Returns what the target's own function returns. */
export type ActOnRequest = (call: AnswerableCall) => unknown
