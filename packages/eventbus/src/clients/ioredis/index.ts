import { allSeams, bindBus, type Bus, type SeamBinding } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { copiedBytes } from '@chaos/core/authoring'
import { callingOnce, type Callback } from '../../seams/callbacks.js'
import { clientEvents, namedAt } from '../../seams/client-events.js'
import { watchListeners } from '../../seams/emitter-listeners.js'
import { ioredisConnection } from './connection.js'
import type { EmitterLike } from '../../seams/emitter-listeners.js'

export { bindIoredisStreams, type IoredisStreamsClient, type IoredisStreamsClients } from './streams.js'

/** A client of ioredis: a `Redis` or a `Cluster`. */
export interface IoredisClient extends EmitterLike {
  publish(channel: never, message: never): unknown
  pubsub(subcommand: never, ...channels: never[]): Promise<unknown[]>
}

/** The clients of one bus. Redis asks for two: one that subscribes does nothing else. Leave out what is elsewhere. */
export interface IoredisPubSubClients {
  readonly publisher?: IoredisClient | undefined
  readonly subscriber?: IoredisClient | undefined
}

/**
 * Binds the publish/subscribe of Redis through ioredis. A message's name is its channel, also where a pattern has subscribed.
 *
 * A subscriber is a listener of `message`, `pmessage` or `smessage`, or of their `…Buffer`s; each of these events is a delivery of its own. A
 * publisher whose message is held waits as for a slow server; one whose message is lost is told how many have subscribed to the channel by name, as
 * the server says then. Commands of a pipeline or transaction pass straight through.
 */
export function bindIoredisPubSub({ publisher, subscriber }: IoredisPubSubClients): Bus {
  return bindBus({
    kind: 'publish/subscribe of ioredis',
    knowsSubscribers: true,
    watchListeners: subscriber && ((see) => watchListeners(subscriber, see)),
    connections: [...ioredisConnection('publisher', publisher), ...ioredisConnection('subscriber', subscriber)],
    seams: {
      publish:
        publisher &&
        allSeams(publishSeam(publisher, 'publish', 'NUMSUB'), publishSeam(publisher, 'spublish', 'SHARDNUMSUB')),
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

/** A client that was closed, or has given up: it does not connect again by itself. */
const hasEnded = (client: object): boolean => Reflect.get(client, 'status') === 'end'

function publishSeam(
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
