export type { Dispatcher, RequestTarget } from './bindings/fetch.js'
export { answerRequests, type AnswerRequestsOptions } from './faults/answer-requests.js'
export type { HttpAnswerPreset } from './presets/http.js'
