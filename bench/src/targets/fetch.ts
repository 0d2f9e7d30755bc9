import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

export const isAsync = true

export interface FetchTarget {
  readonly fetch: typeof fetch
  readonly server: Server
}

export async function make(): Promise<FetchTarget> {
  const server = createServer((_request, response) => {
    response.end('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { fetch: (...args) => globalThis.fetch(...args), server }
}

export function use(target: FetchTarget): (last: unknown) => unknown {
  const url = `http://127.0.0.1:${(target.server.address() as AddressInfo).port}/`
  return async () => (await target.fetch(url)).text()
}

export function dispose({ server }: FetchTarget): void {
  server.close()
  server.closeAllConnections()
}
