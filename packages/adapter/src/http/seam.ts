import type { Seam } from '@chaos/core/authoring'
import { requestsOfHttp2 } from './http2-client.js'
import { answersOfClient, requestsOfClient } from './node-client.js'
import type { AnswerCall, RequestCall } from './request-call.js'
import { requestsAtServer } from './server.js'
import { isHttp2Client, isHttpClient, isHttpServer, type HttpTarget } from './target.js'
import { answeredByUndici, requestsOfUndici } from './undici/undici.js'

/**
 * The requests of a target, before the service gets them. The name of a request is `GET http://127.0.0.1:8080/items` at
 * a client and `GET /items` at a server, without the query. A held request is dropped when its caller gives up.
 */
export const requestSeam: Seam<HttpTarget, RequestCall> = (target, context, act) => {
  if (isHttpServer(target)) requestsAtServer(target, context, act)
  else if (isHttp2Client(target)) requestsOfHttp2(context, act)
  else if (isHttpClient(target)) requestsOfClient(target, context, act)
  else requestsOfUndici(target, context, act)
}

/** The requests that a fault answers. They have the names of those in {@link requestSeam}. */
export const answerSeam: Seam<HttpTarget, AnswerCall> = (target, context, act) => {
  if (isHttpServer(target)) requestsAtServer(target, context, act)
  else if (isHttp2Client(target)) requestsOfHttp2(context, act)
  else if (isHttpClient(target)) answersOfClient(target, context, act)
  else answeredByUndici(target, context, act)
}
