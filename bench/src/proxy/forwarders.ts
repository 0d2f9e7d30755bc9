import { createProxy, type Proxy } from '@chaos/proxy'
import { startToxiproxy } from '@chaos/proxy/toxiproxy'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'

/**
 * What carries bytes to an upstream.
 *
 * - `pipe`: the smallest forwarder of Node.js, `a.pipe(b)` and `b.pipe(a)`.
 * - `proxy`: a proxy of `@chaos/proxy`; `public`: the same, which uses nothing undocumented of Node.js.
 * - `toxiproxy`: the server of Toxiproxy's API, with one proxy.
 */
export type Kind = 'pipe' | 'proxy' | 'public' | 'toxiproxy'

/** A forwarder that listens. */
export interface Forwarder {
  readonly port: number
  /** What faults break, except of a pipe. */
  readonly proxy?: Proxy
  /** The address of the API, of `toxiproxy`. */
  readonly url?: string
}

/** The name of the proxy of a forwarder of the kind `toxiproxy`. */
export const PROXY_NAME = 'bench'

/** Starts a forwarder in this process, which stays until the process ends. */
export async function startForwarder(kind: Kind, upstream: number): Promise<Forwarder> {
  const address = `127.0.0.1:${upstream}`
  if (kind === 'pipe') return { port: await startPipe(upstream) }
  if (kind === 'toxiproxy') {
    const toxiproxy = await startToxiproxy()
    const { port, proxy } = await toxiproxy.createProxy({ name: PROXY_NAME, upstream: address })
    return { port, proxy, url: toxiproxy.url }
  }
  const proxy = await createProxy({ upstream: address, publicApiOnly: kind === 'public' })
  return { port: proxy.port, proxy }
}

async function startPipe(upstream: number): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const target = connect({ port: upstream, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    client.on('error', () => target.destroy()).pipe(target)
    target.on('error', () => client.destroy()).pipe(client)
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 511 })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
