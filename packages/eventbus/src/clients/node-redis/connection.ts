import type { Connection } from '../../seams/bus.js'

/** The members of a node-redis client that cut its connection. */
interface ConnectedClient {
  sendCommand(args: never): Promise<unknown>
  readonly isReady: boolean
  on(event: never, listener: never): unknown
  off(event: never, listener: never): unknown
}

/**
 * The socket of node-redis is private, so the server closes it (`QUIT`), after each reconnection. The client treats
 * this as an outage.
 */
export function nodeRedisConnection(name: string, client: ConnectedClient | undefined): readonly Connection[] {
  if (client === undefined) return []
  const cut = (): void => void client.sendCommand(['QUIT'] as never).catch(() => undefined)
  return [
    {
      name,
      standing: () => (client.isReady ? [cut] : []),
      attempts: (isRefused, steps) => {
        const onReady = (): void => {
          if (isRefused()) cut()
        }
        client.on('ready' as never, onReady as never)
        steps.defer(() => void client.off('ready' as never, onReady as never))
      },
    },
  ]
}
