import type { InjectionContext } from '@chaos/core/authoring'
import type { ClientHttp2Stream } from 'node:http2'
import { awaitClose, type ActOnResponse } from '../passage.js'
import { StreamEnd } from './stream-end.js'
import { StreamResponse } from './stream-response.js'
import { patchStreams, timerKey, type Pass } from './sessions.js'

/** The events by which a stream reports a head. Those of interim responses belong to the head. */
const HEADS: ReadonlySet<unknown> = new Set(['continue', 'headers', 'response'])

/** What a fault has of a stream. */
interface Taken {
  readonly response: StreamResponse
  readonly end: StreamEnd
}

/**
 * Returns a function that takes the response of a stream, where Node.js has decoded its frames. The connection that a
 * fault cuts is that of the session, with all of its streams.
 */
export function responsesOfStreams(context: InjectionContext, act: ActOnResponse): (stream: ClientHttp2Stream) => void {
  const streams = new WeakMap<ClientHttp2Stream, Taken>()
  const put = (key: PropertyKey, layer: (taken: Taken, args: readonly unknown[], pass: Pass) => unknown): void =>
    patchStreams(context, key, (stream, args, pass) => {
      const taken = streams.get(stream)
      return taken === undefined || stream.destroyed ? pass(...args) : layer(taken, args, pass)
    })
  put('push', ({ response }, args, pass) => {
    const [chunk] = args
    if (chunk !== null && !Buffer.isBuffer(chunk)) return pass(...args)
    response.takeBody(chunk, pass)
    return true
  })
  put('emit', ({ response }, args, pass) => {
    const [event] = args
    if (HEADS.has(event)) response.takeHead(() => void pass(...args))
    else if (event === 'trailers') response.behindHeld(() => void pass(...args))
    else return pass(...args)
    return true
  })
  put('setTimeout', ({ end }, args, pass) => end.keeps('setTimeout', args[0], () => pass(...args)))
  put('removeAllListeners', ({ end }, args, pass) => end.keeps('removeAllListeners', args[0], () => pass(...args)))
  put('close', ({ end }, args, pass) => {
    end.leave()
    return pass(...args)
  })
  const timer = timerKey()
  // Bytes that are held have not arrived.
  if (timer !== undefined) put(timer, ({ response }, args, pass) => (response.isHeld ? undefined : pass(...args)))
  return (stream) => {
    const end = new StreamEnd(stream)
    streams.set(stream, { end, response: new StreamResponse(stream, context, act, () => end.deliver()) })
    awaitClose(context, stream)
  }
}
