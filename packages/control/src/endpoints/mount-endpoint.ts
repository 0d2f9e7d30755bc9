import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { createHandler, type ControlHandler, type HandlerOptions } from './create-handler.js'
import type { Controlled } from './controlled.js'
import { override } from './override.js'
import { BASE_PATH, pathBelow } from './paths.js'
import { plainUpgrades, type AppServer } from './plain-upgrades.js'

/** A control endpoint in an app's own server. */
export type MountedEndpoint = Pick<ControlHandler, 'notify' | 'close'>

/**
 * Serves the control API below `/chaos` of an app's own server, including the event stream. It may be called before or
 * after the server listens, with any framework: Express (`app.listen()` returns the server), Fastify (`app.server`),
 * NestJS (`app.getHttpServer()`), Hono (`serve()` returns the server). The server may use TLS, and HTTP/2 with
 * `allowHTTP1`.
 *
 * The endpoint receives its requests before the app does, so body parsers, compression and other WebSocket servers do
 * not interfere. All other requests and upgrades reach the app as without the endpoint.
 *
 * Closing the endpoint removes it from the server. Closing the server closes the endpoint first, so that no event
 * stream keeps the server open.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when an option is unknown or its value is invalid
 */
export function mountEndpoint(server: AppServer, chaos: Controlled, options: HandlerOptions): MountedEndpoint {
  const handler = createHandler(chaos, options)
  const basePath = options.basePath ?? BASE_PATH
  const emit = server.emit.bind(server) as (...event: readonly unknown[]) => boolean
  const closeServer = server.close.bind(server)
  let isClosed = false

  const upgrades = plainUpgrades(server, (req) => !isClosed && pathBelow(basePath, req.url) !== undefined)
  // If other code has wrapped a function since, ours stays beneath it and forwards everything.
  const restoreEmit = override(server, 'emit', (event: string | symbol, ...args: readonly unknown[]): boolean => {
    if (event === 'request' && handler.handle(args[0] as IncomingMessage, args[1] as ServerResponse)) return true
    if (event === 'upgrade' && handler.upgrade(args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer)) {
      upgrades.taken()
      return true
    }
    return emit(event, ...args)
  })
  const restoreClose = override(server, 'close', (...args: Parameters<typeof closeServer>) => {
    void close()
    return closeServer(...args)
  })

  function close(): Promise<void> {
    isClosed = true
    upgrades.release()
    restoreClose()
    restoreEmit()
    return handler.close()
  }

  return { notify: (topic, data) => handler.notify(topic, data), close }
}
