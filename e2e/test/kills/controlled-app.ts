import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mountEndpoint, openSocket } from '@chaos/control'
import { createChaos, target } from '@chaos/core'
import { dropEvents } from '@chaos/eventbus'

export const TOKEN = 'a-token-for-clients-that-are-killed'

/** How clients reach the app. */
export type Way = 'socket' | 'url'

/** The life of one injection, in ms of `performance.now()`. */
export interface Life {
  readonly armedAt: number
  endedAt: number | undefined
}

/** An app of this process that a control socket and a mounted endpoint lead to. */
export interface ControlledApp {
  /** A folder of its own. */
  readonly folder: string
  /** The path of the socket, and the port of the server. */
  readonly at: { readonly socket: string; readonly url: number }
  /** The injections whose id begins with a prefix, oldest first. */
  readonly injectionsOf: (prefix: string) => readonly Life[]
  /** Whether nothing of a fault is on the target. */
  readonly isBare: () => boolean
  readonly close: () => Promise<void>
}

/** @param callEveryMs How often the app uses what is broken. Default: never. */
export async function controlledApp(callEveryMs?: number): Promise<ControlledApp> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-kills-'))
  const bus = new EventEmitter().on('tick', () => undefined)
  const chaos = createChaos({ environment: 'test', targets: { bus: target(bus, [dropEvents]) } })
  const lives = new Map<string, Life>()
  const unfollow = chaos.controller.follow((entry) => {
    const now = performance.now()
    if (entry.type === 'armed') lives.set(entry.injection.id, { armedAt: now, endedAt: undefined })
    const life = entry.type === 'ended' ? lives.get(entry.injection.id) : undefined
    if (life !== undefined) life.endedAt = now
  })
  const socket = await openSocket(chaos, { directory: join(folder, 'app') })
  const server = createServer((_req, res) => res.end('the app')).listen(0, '127.0.0.1')
  // Many clients at a time: what is looked at here is not the limit of requests.
  const endpoint = mountEndpoint(server, chaos, { token: TOKEN, maxRequestsPerSecond: 100_000 })
  await once(server, 'listening')
  const calls = callEveryMs === undefined ? undefined : setInterval(() => bus.emit('tick'), callEveryMs)
  return {
    folder,
    at: { socket: socket.path, url: (server.address() as AddressInfo).port },
    injectionsOf: (prefix) => [...lives].filter(([id]) => id.startsWith(`${prefix}-`)).map(([, life]) => life),
    isBare: () => Object.getPrototypeOf(bus) === EventEmitter.prototype && !Object.hasOwn(bus, 'emit'),
    async close() {
      clearInterval(calls)
      unfollow()
      await endpoint.close()
      await socket.close()
      await chaos.close()
      server.closeAllConnections()
      server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
