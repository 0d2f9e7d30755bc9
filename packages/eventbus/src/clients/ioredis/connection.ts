import type { Socket } from 'node:net'
import type { Connection } from '../../seams/bus.js'
import { refused, standingSocket } from '../../seams/failing-socket.js'

/** The private connector of an ioredis client. The connectors of a cluster, one for each node, are out of reach. */
interface WithConnector {
  readonly connector: { connect(): Promise<Socket> }
  readonly stream?: Socket
  readonly options: { readonly host?: string; readonly port?: number }
}

/** The connection of an ioredis client. */
export function ioredisConnection(name: string, client: object | undefined): readonly Connection[] {
  if (client === undefined || !('connector' in client)) return []
  const redis = client as unknown as WithConnector
  return [
    {
      name,
      standing: () => standingSocket(redis.stream),
      attempts: (isRefused, steps) =>
        steps.patch(
          redis.connector,
          'connect',
          (below) =>
            function (this: unknown, ...args: readonly unknown[]): unknown {
              const socket = below.call.apply(this, args) as Promise<Socket>
              return isRefused() ? socket.then((stream) => refused(stream, redis.options)) : socket
            },
        ),
    },
  ]
}
