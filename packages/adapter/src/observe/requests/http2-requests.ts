import type { InjectionContext } from '@chaos/core/authoring'
import type { ClientHttp2Stream } from 'node:http2'
import { fieldsOf, namesOf } from '../../http/http2-client.js'
import { onSessionRequests } from '../../http/http2/sessions.js'
import { undiciRequestOn } from '../../http/undici/requests.js'
import type { Recorder, Recording } from '../recorder.js'
import { listener } from './listening.js'

/** Records the requests of the HTTP/2 sessions that undici does not use. */
export function watchHttp2Requests(context: InjectionContext, recorder: Recorder): void {
  const listenTo = listener(context)
  onSessionRequests(context, (starting) => {
    const { name, method } = namesOf(starting)
    const [headers] = starting.args
    if (undiciRequestOn(starting.session) !== undefined || !context.operation(name).shouldInject(starting.args))
      return starting.send()
    const url = fieldsOf(headers)(':path') ?? '/'
    const recording = recorder.begin({
      operation: name,
      args: [{ method, url, headers: headers ?? {} }],
      identity: [url],
    })
    const stream = starting.send()
    follow(stream, recording)
    return stream
  })

  function follow(stream: ClientHttp2Stream, recording: Recording): void {
    const listening = listenTo(stream)
    let isBroken = false
    listening.on('response', (headers) => recording.answered(Number(Reflect.get(headers as object, ':status'))))
    listening.onError((error) => {
      isBroken = true
      recording.failed(error)
    })
    listening.on('close', () => {
      listening.stop()
      if (isBroken) return
      if (stream.rstCode === 0) recording.complete()
      else recording.failed(undefined)
    })
  }
}
