import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the server serves: more than one piece. */
export const FILE = 'chaos'.repeat(20_000)
const ETAG = '"1"'

/** A server of one file, with ranges, and of a request that has an effect. */
export interface FileServer {
  readonly origin: string
  readonly gets: number
  readonly posts: number
  /** Sets the counts to zero. */
  readonly forget: () => void
  readonly stop: () => void
}

/** Starts a {@link FileServer} on loopback. */
export async function fileServer(): Promise<FileServer> {
  const counts = { gets: 0, posts: 0 }
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      counts.posts += 1
      request.resume()
      response.end('charged')
      return
    }
    counts.gets += 1
    serveFile(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get gets() {
      return counts.gets
    },
    get posts() {
      return counts.posts
    },
    forget: () => void Object.assign(counts, { gets: 0, posts: 0 }),
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function serveFile({ headers }: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0)
  const part = FILE.slice(from)
  response.writeHead(from === 0 ? 200 : 206, {
    'content-length': part.length,
    'accept-ranges': 'bytes',
    etag: ETAG,
    ...(from > 0 && { 'content-range': `bytes ${from}-${FILE.length - 1}/${FILE.length}` }),
  })
  response.end(part)
}
