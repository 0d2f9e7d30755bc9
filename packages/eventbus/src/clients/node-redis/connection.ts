import type { Connection } from '../../seams/bus.js'

/** A client of node-redis that can be cut off. */
interface ConnectedClient {
  sendCommand(args: never): Promise<unknown>
  readonly isReady: boolean
  on(event: never, listener: never): unknown
  off(event: never, listener: never): unknown
}

/** node-redis keeps its socket out of reach: the server is asked to close it, each time it stands again. The client takes that for an outage. */
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
