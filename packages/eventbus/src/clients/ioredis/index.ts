import { allSeams, bindBus, type Bus, type SeamBinding } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { copiedBytes } from '@chaos/core/authoring'
import { callingOnce, type Callback } from '../../seams/callbacks.js'
import { clientEvents, namedAt } from '../../seams/client-events.js'
import { watchListeners } from '../../seams/emitter-listeners.js'
import { ioredisConnection } from './connection.js'
import { commandSeam } from './publish.js'
import type { EmitterLike } from '../../seams/emitter-listeners.js'

export { bindIoredisStreams, type IoredisStreamsClient, type IoredisStreamsClients } from './streams.js'

/** An ioredis client: a `Redis` or a `Cluster`. */
export interface IoredisClient extends EmitterLike {
  publish(channel: never, message: never): unknown
  pubsub(subcommand: never, ...channels: never[]): Promise<unknown[]>
}

/**
 * The clients of one bus. Redis needs two, because a subscribed client cannot publish. Leave out a client that this
 * process does not have.
 */
export interface IoredisPubSubClients {
  readonly publisher?: IoredisClient | undefined
  readonly subscriber?: IoredisClient | undefined
}

/**
 * Binds Redis publish/subscribe through ioredis. The name of a message is its channel, also for pattern subscriptions.
 *
 * A subscriber is a listener of `message`, `pmessage`, `smessage` or their `…Buffer` variants. Each of these events is a
 * separate delivery. A publisher waits for a held message as for a slow server, at most its `commandTimeout`. For a dropped message it gets the current
 * number of subscribers of the channel, without patterns. Commands in a pipeline or transaction are never affected.
 */
export function bindIoredisPubSub({ publisher, subscriber }: IoredisPubSubClients): Bus {
  return bindBus({
    kind: 'publish/subscribe of ioredis',
    knowsSubscribers: true,
    watchListeners: subscriber && ((see) => watchListeners(subscriber, see)),
    connections: [...ioredisConnection('publisher', publisher), ...ioredisConnection('subscriber', subscriber)],
    seams: {
      publish: publisher && publishSeam(publisher),
      delivery:
        subscriber &&
        clientEvents(subscriber, {
          message: namedAt(1, 2, hasEnded),
          messageBuffer: namedAt(1, 2, hasEnded),
          pmessage: namedAt(2, 3, hasEnded),
          pmessageBuffer: namedAt(2, 3, hasEnded),
          smessage: namedAt(1, 2, hasEnded),
          smessageBuffer: namedAt(1, 2, hasEnded),
        }),
    },
  })
}

/** Whether a client was closed or has stopped reconnecting. */
const hasEnded = (client: object): boolean => Reflect.get(client, 'status') === 'end'

/**
 * A cluster chooses a node for each command, and automatic pipelining collects commands, so that only their calls can be
 * held.
 */
function publishSeam(client: IoredisClient): SeamBinding {
  const sendsByItself =
    'commandQueue' in client && Reflect.get(Reflect.get(client, 'options') as object, 'enableAutoPipelining') !== true
  return sendsByItself
    ? commandSeam(client as unknown as Parameters<typeof commandSeam>[0])
    : allSeams(callSeam(client, 'publish', 'NUMSUB'), callSeam(client, 'spublish', 'SHARDNUMSUB'))
}

function callSeam(
  client: IoredisClient,
  method: 'publish' | 'spublish',
  counting: 'NUMSUB' | 'SHARDNUMSUB',
): SeamBinding {
  return methodSeam<readonly [channel: unknown, message: unknown, callback?: Callback]>({
    object: client,
    method,
    isAwaited: true,
    name: ([channel]) => String(channel),
    read(args) {
      const [channel, message, callback] = args
      return {
        payload: args[1],
        withPayload: (payload) => replaced(args, 1, payload),
        isGone: () => hasEnded(client),
        snapshot: () => callingOnce(replaced(args, 1, copiedBytes(message))),
        async answer() {
          const [, receivers] = await client.pubsub(counting as never, channel as never)
          if (typeof callback === 'function') callback(null, receivers)
          return receivers
        },
      }
    },
  })
}
