import { createHttpProxy, type HttpProxy } from '@chaos/proxy/http'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { vi } from 'vitest'
import { kind, swallow, type Kind } from './kind.js'

/** What belongs to a proxy of a case. */
interface Scene {
  readonly server: http.Server
  readonly requests: http.ClientRequest[]
}

const scenes = new WeakMap<HttpProxy, Scene>()
const sceneOf = (proxy: HttpProxy): Scene => scenes.get(proxy) as Scene

/** A proxy before a server that answers everything. */
async function startProxy(): Promise<HttpProxy> {
  const server = http.createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await createHttpProxy({ upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  scenes.set(proxy, { server, requests: [] })
  return proxy
}

/** Sends requests one after the other. Waits until each is over or held by a fault. */
async function send(proxy: HttpProxy, count: number): Promise<void> {
  const { requests } = sceneOf(proxy)
  for (let n = 0; n < count; n += 1) {
    const request = http.get(proxy.url, { agent: false }, (answer) => answer.on('error', swallow).resume())
    requests.push(request.on('error', swallow))
    await vi.waitFor(
      () => {
        if (proxy.counters.requests < requests.length) throw new Error('The proxy has not got the request yet.')
        if (proxy.requests().some(({ hits }) => hits.length === 0)) throw new Error('A request is still under way.')
      },
      { timeout: 30_000, interval: 2 },
    )
  }
}

async function stop(proxy: HttpProxy): Promise<void> {
  const { server, requests } = sceneOf(proxy)
  for (const request of requests) request.destroy()
  await proxy.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

export const httpProxies: readonly Kind[] = [
  kind<HttpProxy>('proxy', 'an HTTP proxy', { target: startProxy, exercise: send, dispose: stop }),
]
