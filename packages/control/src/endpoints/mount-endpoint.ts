import { ServerResponse, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { createHandler, type ControlHandler, type HandlerOptions } from './create-handler.js'
import type { Controlled } from './controlled.js'

/** A control endpoint in an app's own server. */
export type MountedEndpoint = Pick<ControlHandler, 'notify' | 'close'>

/**
 * Serves the control API below `/chaos` of an app's own server, including the event stream. It may be called before or
 * after the server listens, with any framework: Express (`app.listen()` returns the server), Fastify (`app.server`),
 * NestJS (`app.getHttpServer()`).
 *
 * The endpoint receives its requests before the app does, so body parsers and other WebSocket servers do not interfere.
 * Closing the endpoint removes it from the server.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when an option is unknown or its value is invalid
 */
export function mountEndpoint(
  server: Pick<Server, 'emit' | 'on' | 'off' | 'listenerCount'>,
  chaos: Controlled,
  options: HandlerOptions,
): MountedEndpoint {
  const handler = createHandler(chaos, options)
  const emit = server.emit.bind(server) as (...event: readonly unknown[]) => boolean
  const own = Object.getOwnPropertyDescriptor(server, 'emit')

  function emitUnlessOurs(event: string | symbol, ...args: readonly unknown[]): boolean {
    if (event === 'request' && handler.handle(args[0] as IncomingMessage, args[1] as ServerResponse)) return true
    if (event === 'upgrade' && handler.upgrade(args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer))
      return true
    return emit(event, ...args)
  }
  Object.defineProperty(server, 'emit', { value: emitUnlessOurs, configurable: true, writable: true })

  /**
   * Makes Node.js emit `upgrade`, which needs a listener. If this is the only listener, other paths are answered
   * without an upgrade, as before.
   */
  const onUpgrade = (req: IncomingMessage, socket: Duplex): void => {
    if (server.listenerCount('upgrade') > 1) return
    const res = new ServerResponse(req)
    res.shouldKeepAlive = false
    res.assignSocket(socket as Parameters<typeof res.assignSocket>[0])
    res.on('finish', () => socket.end())
    emit('request', req, res)
  }
  server.on('upgrade', onUpgrade)

  return {
    notify: (topic, data) => handler.notify(topic, data),
    close() {
      server.off('upgrade', onUpgrade)
      // If other code has wrapped `emit` since, this layer stays beneath it and forwards everything.
      if (server.emit === emitUnlessOurs) {
        if (own === undefined) Reflect.deleteProperty(server, 'emit')
        else Object.defineProperty(server, 'emit', own)
      }
      return handler.close()
    },
  }
}
