import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { delayCalls, refuseCalls } from '@chaos/adapter'
import { mountEndpoint, type Controlled, type MountedEndpoint } from '@chaos/control'
import { createChaos, target } from '@chaos/core'
import { corruptEvents, delayEvents, dropEvents } from '@chaos/eventbus'

/** The token of every endpoint of these tests. */
export const TOKEN = 'a-token-that-is-long-enough'

/** An app that serves the page. */
export interface PageServer {
  /** The address of the page: `http://127.0.0.1:4711/chaos/`. */
  readonly url: string
  readonly port: number
  readonly endpoint: MountedEndpoint
  /** Ends all connections at once, as a network does. The app goes on. */
  cut(): void
  close(): Promise<void>
}

/** Serves the page of a controller. @param port Default: any free port. */
export async function servePage(chaos: Controlled, port = 0): Promise<PageServer> {
  const server = createServer((_req, res) => res.end('the app'))
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const endpoint = mountEndpoint(server, chaos, { token: TOKEN, maxRequestsPerSecond: 1_000 })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}/chaos/`,
    port: address.port,
    endpoint,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    async close() {
      await endpoint.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** An app with a bus and a store that are used all the time. */
export interface Shop extends PageServer {
  readonly chaos: ReturnType<typeof shopChaos>
}

function shopChaos(bus: EventEmitter, store: { get: (key: string) => Promise<string> }) {
  return createChaos({
    environment: 'test',
    targets: {
      orders: target(bus, [delayEvents, dropEvents, corruptEvents]),
      store: target(store, [delayCalls, refuseCalls]),
    },
  })
}

/** Starts the shop. Closing it ends what is in force. */
export async function openShop(port = 0): Promise<Shop> {
  const bus = new EventEmitter().on('order.placed', () => undefined).on('order.paid', () => undefined)
  const store = {
    async get(key: string) {
      await Promise.resolve()
      return `the value of ${key}`
    },
  }
  const chaos = shopChaos(bus, store)
  const traffic = setInterval(() => {
    bus.emit('order.placed', { id: 7 })
    bus.emit('order.paid', { id: 7 })
    store.get('a').catch(() => undefined)
  }, 50)
  const page = await servePage(chaos, port)
  return {
    ...page,
    chaos,
    async close() {
      clearInterval(traffic)
      await page.close()
      await chaos.close()
    },
  }
}
