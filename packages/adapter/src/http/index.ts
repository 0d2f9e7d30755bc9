export type { Dispatcher, RequestTarget } from './undici/dispatcher.js'
export type { Http2Client, HttpClient, HttpTarget } from './target.js'
// #region faults: written by `npm run sync`
export { answerRequests, type AnswerRequestsOptions } from './faults/answer-requests.js'
export { corruptResponses, type CorruptResponsesOptions } from './faults/corrupt-responses.js'
export { cutResponses, type CutResponsesOptions } from './faults/cut-responses.js'
export { delayRequests, type DelayRequestsOptions } from './faults/delay-requests.js'
export { hangRequests, type HangRequestsOptions } from './faults/hang-requests.js'
export { hangResponses, type HangResponsesOptions } from './faults/hang-responses.js'
export { slowResponses, type SlowResponsesOptions } from './faults/slow-responses.js'
// #endregion
export type { HttpAnswerPreset } from '../errors/http.js'
export { httpScopes, type HttpScopes, type HttpScopesOptions } from './http-scopes.js'
export type { IdentifyRequest, IncomingRequest, RequestSender, SenderNames } from './scopes/identify.js'
