import { createProxy, type Proxy } from '@chaos/proxy'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { vi } from 'vitest'
import { kind, type Kind } from './kind.js'

/** What belongs to a proxy of a case. */
interface Scene {
  readonly server: Server
  readonly sockets: Socket[]
  /** The connections that it has had, those of earlier cases included. */
  clients: number
}

const scenes = new WeakMap<Proxy, Scene>()
const sceneOf = (proxy: Proxy): Scene => scenes.get(proxy) as Scene

/** A proxy before a server that sends back what it gets. */
async function startProxy(worker = false): Promise<Proxy> {
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined).pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const proxy = await createProxy({ upstream: `127.0.0.1:${port}`, worker })
  scenes.set(proxy, { server, sockets, clients: 0 })
  return proxy
}

/** One thread for all cases: what a case left behind in it would spoil the next one. */
let inThread: Promise<Proxy> | undefined

/** Ends the connections of a case, and the faults with them. */
async function leave(proxy: Proxy): Promise<void> {
  for (const socket of sceneOf(proxy).sockets.splice(0)) socket.destroy()
  await vi.waitFor(() => {
    if (proxy.counters.open > 0 || proxy.toxics().length > 0) throw new Error('The case has left something behind.')
  }, WAIT)
}

export async function stopProxies(): Promise<void> {
  if (inThread !== undefined) await stop(await inThread)
}

/** Opens connections one after the other. Each sends a byte and its end. Waits until each is over or held by a fault. */
async function open(proxy: Proxy, count: number): Promise<void> {
  const scene = sceneOf(proxy)
  for (let n = 0; n < count; n += 1) {
    const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true })
    client.on('error', () => undefined).resume()
    scene.sockets.push(client)
    scene.clients += 1
    client.end('x')
    await vi.waitFor(() => {
      if (proxy.counters.accepted < scene.clients) throw new Error('The proxy has not accepted the connection yet.')
    }, WAIT)
  }
  await vi.waitFor(() => {
    if (proxy.connections().some(({ hits }) => hits.length === 0)) throw new Error('A connection is still under way.')
  }, WAIT)
}

const WAIT = { timeout: 30_000, interval: 2 }

async function stop(proxy: Proxy): Promise<void> {
  const { server, sockets } = sceneOf(proxy)
  for (const socket of sockets) socket.destroy()
  await proxy.close()
  await new Promise((resolve) => server.close(resolve))
}

export const proxies: readonly Kind[] = [
  kind<Proxy>('proxy', 'a proxy', { target: () => startProxy(), exercise: open, dispose: stop }),
  kind<Proxy>('proxy', 'a proxy in a worker thread', {
    target: () => (inThread ??= startProxy(true)),
    exercise: open,
    dispose: leave,
  }),
]
