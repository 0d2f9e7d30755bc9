import type { InjectionContext } from '@chaos/core/authoring'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type http from 'node:http'
import { patchOnSocket } from '../../http/on-socket.js'
import { clientRequestName, isRequestOf, type HttpClient } from '../../http/target.js'
import type { Recorder, Recording } from '../recorder.js'
import { listener } from './listening.js'

/** What Node.js publishes when the head of a response has come. */
const RESPONSE = 'http.client.response.finish'

/** Records the requests of the Node.js client, each from where it gets its connection. */
export function watchNodeRequests(client: HttpClient, context: InjectionContext, recorder: Recorder): void {
  const recordings = new WeakMap<http.ClientRequest, Recording>()
  const listenTo = listener(context)
  const onResponse = (message: unknown): void => {
    const { request, response } = message as { request: http.ClientRequest; response: http.IncomingMessage }
    recordings.get(request)?.answered(response.statusCode ?? 0)
  }
  subscribe(RESPONSE, onResponse)
  context.defer(() => void unsubscribe(RESPONSE, onResponse))
  patchOnSocket(
    context,
    (below) =>
      function onSocket(this: http.ClientRequest, ...args: readonly [connection: unknown, error?: unknown]): unknown {
        const recording = recordings.has(this) || !isRequestOf(client, this) ? undefined : begin(this)
        if (recording === undefined) return below.call.apply(this, args) as unknown
        recordings.set(this, recording)
        follow(this, recording)
        return below.call.apply(this, args) as unknown
      },
  )

  function begin(request: http.ClientRequest): Recording | undefined {
    const operation = clientRequestName(request)
    if (!context.operation(operation).shouldInject([request])) return undefined
    const { method, path } = request
    return recorder.begin({
      operation,
      args: [{ method, url: path, headers: request.getHeaders() }],
      identity: [path],
      isLoose: true,
    })
  }

  function follow(request: http.ClientRequest, recording: Recording): void {
    const listening = listenTo(request)
    let error: unknown
    listening.onError((told) => {
      error = told
      recording.failed(told)
    })
    listening.on('close', () => {
      listening.stop()
      const response = (request as { readonly res?: http.IncomingMessage }).res
      if (response?.complete === true) recording.complete()
      else if (error === undefined) recording.failed(response?.errored ?? undefined)
    })
  }
}
