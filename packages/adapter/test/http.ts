import { once } from 'node:events'
import http from 'node:http'
import type net from 'node:net'
import { onTestFinished } from 'vitest'

/** An HTTP server on a free port of 127.0.0.1, and what it was asked. */
export interface HttpServer {
  readonly origin: string
  readonly requests: readonly string[]
}

/** Starts one for the running test. */
export async function serve(onRequest: http.RequestListener = (_request, response) => void response.end('answer')): Promise<HttpServer> {
  const { close, ...server } = await httpServer(onRequest)
  onTestFinished(close)
  return server
}

/** Starts one that stays until it is closed. */
export async function httpServer(onRequest: http.RequestListener): Promise<HttpServer & { readonly close: () => Promise<void> }> {
  const requests: string[] = []
  const server = http.createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`)
    onRequest(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
