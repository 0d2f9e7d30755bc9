import type { InjectionContext, Operation } from '@chaos/core/authoring'
import { complete, endpoint, isGivenUp, socketOf, tcpHandlePrototype, type TcpHandle } from '../sockets/net.js'

/** A connection that is held before its first packet. */
export interface Connecting {
  /** How long, in ms. `Infinity`: until the injection ends. */
  readonly afterMs: number
  /** What becomes of it then, a status of libuv. Default, and always when the injection ends: the real connection is made. */
  readonly status?: number
  /** Called with the error that the application gets. */
  readonly onError?: (error: Error) => void
}

/** Holds connections back that the process wants to make, beneath everything that JavaScript sees of them. */
export function affectConnecting(context: InjectionContext, { afterMs, status, onError }: Connecting): void {
  const handles = tcpHandlePrototype()
  for (const method of ['connect', 'connect6'] as const) {
    context.patch(
      handles,
      method,
      (below) =>
        function (this: TcpHandle, ...args: Parameters<TcpHandle['connect']>): number {
          const [request, address, port] = args
          const operation: Operation = context.operation(endpoint(address, port))
          if (!operation.shouldInject(args)) return below.call.apply(this, args) as number
          const socket = socketOf(this)
          const run = (): void => {
            // Whoever gave up meanwhile, by a timeout of its own, has closed the handle: all of it, or this one of the addresses that it tries.
            if (socket?.destroyed === true || isGivenUp(request)) return
            if (status !== undefined && !context.signal.aborted) complete(this, request, status)
            else {
              const failure = below.call.apply(this, args) as number
              if (failure !== 0) complete(this, request, failure)
            }
            if (status !== undefined && socket?.errored instanceof Error) onError?.(socket.errored)
          }
          const held = context.hold({ afterMs, run })
          socket?.once('close', () => held.drop())
          return 0
        },
    )
  }
}
