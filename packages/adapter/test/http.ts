import { once } from 'node:events'
import http from 'node:http'
import type net from 'node:net'
import { onTestFinished } from 'vitest'

/** An HTTP server on a free port of 127.0.0.1, and what it was asked. */
export interface HttpServer {
  readonly origin: string
  readonly server: http.Server
  readonly requests: readonly string[]
}

/** Answers with a text whose length is announced, or in chunks. */
export const answering =
  (text: string, framing: 'content-length' | 'chunked'): http.RequestListener =>
  (_request, response) => {
    response.writeHead(200, framing === 'content-length' ? { 'content-length': Buffer.byteLength(text) } : {})
    response.write(text)
    response.end()
  }

/** Starts one for the running test. */
export async function serve(
  onRequest: http.RequestListener = (_request, response) => void response.end('answer'),
): Promise<HttpServer> {
  const { close, ...server } = await httpServer(onRequest)
  onTestFinished(close)
  return server
}

/** Starts one that stays until it is closed. */
export async function httpServer(
  onRequest: http.RequestListener,
): Promise<HttpServer & { readonly close: () => Promise<void> }> {
  const requests: string[] = []
  const server = http
    .createServer((request, response) => {
      requests.push(`${request.method ?? ''} ${request.url ?? ''}`)
      onRequest(request, response)
    })
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    server,
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
