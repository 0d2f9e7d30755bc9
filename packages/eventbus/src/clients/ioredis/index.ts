import { bindBus, type Bus } from '../../seams/bus.js'
import { clientEvents, namedAt } from '../../seams/client-events.js'
import { watchListeners } from '../../seams/emitter-listeners.js'
import { ioredisConnection } from './connection.js'
import { isClosed } from '../redis/closed-client.js'
import { publications } from '../redis/commands.js'
import { writtenCommands } from './written-commands.js'
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
 * separate delivery. A publisher waits for a held message as for a slow server, at most its `commandTimeout`; a `Cluster` is affected at its nodes. For a dropped message it gets the current
 * number of subscribers of the channel, without patterns. Commands in a pipeline or transaction are never affected.
 */
export function bindIoredisPubSub({ publisher, subscriber }: IoredisPubSubClients): Bus {
  return bindBus({
    kind: 'publish/subscribe of ioredis',
    knowsSubscribers: true,
    watchListeners: subscriber && ((see) => watchListeners(subscriber, see)),
    connections: [...ioredisConnection('publisher', publisher), ...ioredisConnection('subscriber', subscriber)],
    seams: {
      publish: publisher && writtenCommands(publisher, publications),
      delivery:
        subscriber &&
        clientEvents(subscriber, {
          message: namedAt(1, 2, isClosed),
          messageBuffer: namedAt(1, 2, isClosed),
          pmessage: namedAt(2, 3, isClosed),
          pmessageBuffer: namedAt(2, 3, isClosed),
          smessage: namedAt(1, 2, isClosed),
          smessageBuffer: namedAt(1, 2, isClosed),
        }),
    },
  })
}
