import http, { type IncomingMessage } from 'node:http'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { override } from './override.js'

/** What an app's server must have: that of `node:http`, `node:https`, or `node:http2` with `allowHTTP1`. */
export type AppServer = Pick<Server, 'close' | 'emit' | 'listenerCount' | 'off' | 'on'>

/** How a server is made to emit `upgrade` for an endpoint. */
export interface PlainUpgrades {
  /** Must be called when the endpoint has taken an upgrade. */
  readonly taken: () => void
  /** Leaves the server as it was. */
  readonly release: () => void
}

type ShouldUpgrade = (req: IncomingMessage) => boolean

/**
 * Makes a server emit `upgrade` for the requests of an endpoint, and for no others than before. A server without a
 * listener for `upgrade` answers a request with an Upgrade header like any other, body included; some HTTP clients send
 * the header with each request (`Upgrade: h2c`). A server with a listener may ask how many there are. So the endpoint
 * has a listener only where nothing else makes Node.js emit the event.
 */
export function plainUpgrades(server: AppServer, isOurs: ShouldUpgrade): PlainUpgrades {
  return 'shouldUpgradeCallback' in server ? byCallback(server, isOurs) : byListener(server)
}

/** Node.js 22.21, 24.9 and newer: the server asks about each request. */
function byCallback(server: AppServer, isOurs: ShouldUpgrade): PlainUpgrades {
  const below = Reflect.get(server, 'shouldUpgradeCallback') as ShouldUpgrade
  // Node.js emits the event in the same turn, and only if there is a listener.
  const listener = (): void => undefined
  const taken = (): void => void server.off('upgrade', listener)
  const restore = override(server, 'shouldUpgradeCallback', (req: IncomingMessage) => {
    if (!isOurs(req)) return below.call(server, req)
    server.on('upgrade', listener)
    return true
  })
  return { taken, release: restore }
}

/** Older versions: the server upgrades each request as soon as there is a listener. */
function byListener(server: AppServer): PlainUpgrades {
  const answerWithoutUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): void =>
    readAgain(server, req, socket, head)
  const onNewListener = (event: string | symbol, added: unknown): void => {
    if (event === 'upgrade' && added !== answerWithoutUpgrade) server.off('upgrade', answerWithoutUpgrade)
  }
  const onRemovedListener = (event: string | symbol, removed: unknown): void => {
    if (event === 'upgrade' && removed !== answerWithoutUpgrade && server.listenerCount('upgrade') === 0)
      server.on('upgrade', answerWithoutUpgrade)
  }
  if (server.listenerCount('upgrade') === 0) server.on('upgrade', answerWithoutUpgrade)
  server.on('newListener', onNewListener).on('removeListener', onRemovedListener)
  return {
    taken: () => undefined,
    release() {
      server.off('newListener', onNewListener).off('removeListener', onRemovedListener)
      server.off('upgrade', answerWithoutUpgrade)
    },
  }
}

/** What Node.js calls for each new connection of any kind of HTTP server. It is exported, but not documented. */
const { _connectionListener: readRequests } = http as unknown as {
  readonly _connectionListener: (this: AppServer, socket: Duplex) => void
}

/** Lets the server read a request once more, without its Upgrade header, together with what follows. */
function readAgain(server: AppServer, req: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${String(req.method)} ${String(req.url)} HTTP/${req.httpVersion}`]
  for (let at = 0; at < req.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = req.rawHeaders.slice(at, at + 2)
    if (name.toLowerCase() !== 'upgrade') lines.push(`${name}: ${value}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  readRequests.call(server, socket)
}
