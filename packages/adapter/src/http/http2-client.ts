import type { InjectionContext, Operation } from '@chaos/core/authoring'
import type { ClientHttp2Stream } from 'node:http2'
import { hidden } from '../sockets/hidden.js'
import type { Change } from './body-piece.js'
import type { ActOnRequest } from './request-call.js'
import { undiciRequestOn } from './undici/requests.js'
import { requestsOfStreams } from './http2/requests.js'
import { onSessionRequests, patchStreams, schemeOf, type StartingRequest } from './http2/sessions.js'

/** The requests of the HTTP/2 client, before the service gets them. */
export function requestsOfHttp2(context: InjectionContext, act: ActOnRequest): void {
  const onStream = requestsOfStreams(context, act)
  requestsOfSessions(context, (starting) => onStream(starting, { ...namesOf(starting), args: starting.args }))
}

/**
 * The chosen requests of sessions that undici does not use.
 *
 * @param act Returns the stream of the request.
 */
export function requestsOfSessions(
  context: InjectionContext,
  act: (starting: StartingRequest) => ClientHttp2Stream,
): void {
  onSessionRequests(context, (starting) =>
    undiciRequestOn(starting.session) === undefined &&
    context.operation(namesOf(starting).name).shouldInject(starting.args)
      ? act(starting)
      : starting.send(),
  )
}

/** The pieces of bodies that streams receive, as their frames bring them. */
export function bodiesOfSessions(context: InjectionContext, change: Change): void {
  const operations = new WeakMap<ClientHttp2Stream, Operation>()
  patchStreams(context, 'push', (stream, args, pass) => {
    const [chunk] = args
    return Buffer.isBuffer(chunk) && operations.get(stream)?.shouldInject([chunk]) === true
      ? pass(change({ bytes: chunk, keepsLength: false }))
      : pass(...args)
  })
  onSessionRequests(context, (starting) => {
    const stream = starting.send()
    const operation = context.operation(namesOf(starting).name)
    if (undiciRequestOn(starting.session) === undefined && operation.covers(starting.args))
      operations.set(stream, operation)
    return stream
  })
}

/** Returns the operation name of a request, `GET http://127.0.0.1:8080/items` without the query, and its method. */
export function namesOf({ session, args: [headers] }: StartingRequest): {
  readonly name: string
  readonly method: string
} {
  const field = fieldsOf(headers)
  const method = field(':method') ?? 'GET'
  const scheme = field(':scheme') ?? schemeOf(session)
  const authority = field(':authority') ?? field('host') ?? String(hidden(session, 'authority'))
  // A CONNECT has no path.
  const path = method === 'CONNECT' ? (field(':path') ?? '') : (field(':path') ?? '/')
  return { name: `${method} ${scheme}://${authority}${path.replace(/[?#].*$/s, '')}`, method }
}

/** Returns a reader of headers, which are an object, or names and values alternately. */
export function fieldsOf(headers: unknown): (name: string) => string | undefined {
  if (typeof headers !== 'object' || headers === null) return () => undefined
  const pairs: readonly (readonly [string, unknown])[] = Array.isArray(headers)
    ? headers.flatMap((name, index) => (index % 2 === 0 ? [[String(name), headers[index + 1]] as const] : []))
    : Object.entries(headers)
  const fields = new Map(pairs.map(([name, value]) => [name.toLowerCase(), value]))
  return (name) => {
    const value = fields.get(name)
    return typeof value === 'string' ? value : undefined
  }
}
