import type { InjectionContext } from '@chaos/core/authoring'
import type http from 'node:http'
import { requestsAtServer } from '../../http/server.js'
import type { Recorder } from '../recorder.js'
import { listener } from './listening.js'

/** Records the requests that a server of this process gets. */
export function watchServerRequests(server: http.Server, context: InjectionContext, recorder: Recorder): void {
  const listenTo = listener(context)
  requestsAtServer(server, context, ({ name, args, proceed }) => {
    const [request, response] = args as readonly [http.IncomingMessage, http.ServerResponse]
    const { method, url = '', headers } = request
    const recording = recorder.begin({ operation: name, args: [{ method, url, headers }], identity: [url] })
    const listening = listenTo(response)
    listening.on('finish', () => recording.answered(response.statusCode))
    listening.on('close', () => {
      listening.stop()
      // The caller has gone, or the handler has broken the connection.
      if (!response.writableFinished) recording.failed(response.errored ?? undefined)
    })
    return recording.run(proceed)
  })
}
