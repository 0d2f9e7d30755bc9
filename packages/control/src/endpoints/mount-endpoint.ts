import { ServerResponse, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { createHandler, type ControlHandler, type HandlerOptions } from './create-handler.js'
import type { Controlled } from './controlled.js'

/** A control endpoint in an app's own server. */
export type MountedEndpoint = Pick<ControlHandler, 'notify' | 'close'>

/**
 * Serves the control API below `/chaos` of an app's own server: requests and the event stream. One call, before or after the server listens and
 * whichever framework answers the other paths: Express (`app.listen()` returns the server), Fastify (`app.server`), NestJS (`app.getHttpServer()`).
 *
 * The endpoint sees its requests before the app does, so no body parser reads them first and no other WebSocket server refuses them.
 * Closing it takes it out of the server.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`
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

  /** Node.js emits `upgrade` only where there is a listener. Where this is the only one, other paths are answered without an upgrade, as before. */
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
      // If other code has wrapped `emit` since, this layer stays beneath it and passes everything on.
      if (server.emit === emitUnlessOurs) {
        if (own === undefined) Reflect.deleteProperty(server, 'emit')
        else Object.defineProperty(server, 'emit', own)
      }
      return handler.close()
    },
  }
}
