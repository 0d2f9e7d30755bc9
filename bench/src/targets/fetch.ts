import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Dispatcher } from '@chaos/adapter/http'

export const isAsync = true

export interface FetchTarget {
  /** Carries the requests of this side alone. */
  readonly agent: Dispatcher
  readonly server: Server
}

export async function make(): Promise<FetchTarget> {
  const server = createServer((_request, response) => {
    response.end('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // The built-in `fetch` makes its own agent when it is first needed.
  Reflect.get(globalThis, 'Request')
  const builtIn = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1')) as Dispatcher
  return { agent: new (builtIn.constructor as new () => Dispatcher)(), server }
}

export function use({ agent, server }: FetchTarget): (last: unknown) => unknown {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return async () => (await fetch(url, { dispatcher: agent } as RequestInit)).text()
}

export function dispose({ server }: FetchTarget): void {
  server.close()
  server.closeAllConnections()
}
