import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'

/** Answers like a server without this path. */
export function notFound(_req: IncomingMessage, res: ServerResponse): void {
  const text = STATUS_CODES[404] ?? ''
  res
    .writeHead(404, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(text) })
    .end(text)
}
