import { injectedBy } from '@chaos/core'
import { isError, isExempt, markInjected, type Held, type Seam, type SeamOperation } from '@chaos/core/authoring'
import { holdWhileOpen } from '../operations/while-open.js'
import { pipeHandlePrototype } from '../sockets/unix.js'
import {
  complete,
  endpoint,
  isGivenUp,
  socketOf,
  tcpHandlePrototype,
  type NetModule,
  type TcpHandle,
} from '../sockets/net.js'

/**
 * The connections that the process opens, before their first packet and beneath everything that JavaScript sees of
 * them. The name of a connection is its remote address, the path at a Unix socket. A fault fails a connection with an error number, as the kernel
 * does, and Node.js makes the error that the application gets.
 */
export const connectionSeam: Seam<NetModule, SeamOperation> = (_net, context, act) => {
  const tcp = tcpHandlePrototype()
  const seams = [
    [tcp, 'connect'],
    [tcp, 'connect6'],
    [pipeHandlePrototype(), 'connect'],
  ] as const
  for (const [handles, method] of seams) {
    context.patch(
      handles,
      method,
      (below) =>
        function (this: TcpHandle, ...args: Parameters<TcpHandle['connect']>): number {
          const [request, address, port] = args
          const name = endpoint(address, port)
          const proceed = (): number => below.call.apply(this, args) as number
          const socket = socketOf(this)
          if (isExempt(socket) || !context.operation(name).shouldInject(args)) return proceed()
          // A client that gave up meanwhile, for example by its own timeout, has closed the socket or this attempt at
          // one of several addresses.
          const isOver = (): boolean => socket?.destroyed === true || isGivenUp(request)
          return act({
            name,
            args,
            proceed,
            fail: statusOf,
            later: (keep) => {
              const hold = (leave: () => void): Held =>
                keep({
                  proceed: () => {
                    leave()
                    if (isOver()) return
                    const failure = proceed()
                    if (failure !== 0) complete(this, request, failure)
                  },
                  fail: (error) => {
                    leave()
                    if (isOver()) return
                    complete(this, request, statusOf(error))
                    const fault = injectedBy(error)
                    if (fault !== undefined && isError(socket?.errored)) markInjected(socket.errored, fault)
                  },
                })
              if (socket === undefined) hold(() => undefined)
              else holdWhileOpen(socket, hold)
              return 0
            },
          }) as number
        },
    )
  }
}

/** Returns the libuv status of a system error. */
function statusOf(error: Error): number {
  return (error as NodeJS.ErrnoException).errno ?? 0
}
