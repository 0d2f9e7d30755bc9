import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { plainAddress } from '../sockets/address.js'
import type { ConnectionInfo } from '../toxics/encounter.js'

/** What faults know of a request. The predicate `only` gets it as the first argument. */
export interface RequestInfo extends ConnectionInfo {
  /** The number of the request at its proxy: 1, 2, 3 … */
  readonly ordinal: number
  /** `GET` */
  readonly method: string
  /** As the client sent it: `/items?page=2`. */
  readonly url: string
  /** The same without origin and query: `/items`. */
  readonly path: string
  /** The headers, as `IncomingMessage` of Node.js has them. All of them together have at most `maxHeaderBytes`. */
  readonly headers: IncomingHttpHeaders
}

/** Describes a request. */
export function requestInfoOf(ordinal: number, request: IncomingMessage): RequestInfo {
  const { method = '', url = '', headers, socket } = request
  return Object.freeze({
    ordinal,
    clientAddress: plainAddress(socket.remoteAddress ?? ''),
    clientPort: socket.remotePort ?? 0,
    ...('servername' in socket && typeof socket.servername === 'string' && { serverName: socket.servername }),
    method,
    url,
    path: pathOf(url),
    headers,
  })
}

/** The name of the operation: `GET /items`. */
export function operationOf({ method, path }: Pick<RequestInfo, 'method' | 'path'>): string {
  return `${method} ${path}`
}

/** A client of a forward proxy names the origin as well: `http://127.0.0.1:3000/items`. */
function pathOf(url: string): string {
  const path = url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  return path === '' ? '/' : path
}
