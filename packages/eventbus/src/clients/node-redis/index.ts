import { ChaosError } from '@chaos/core'
import { nodeRedisConnection } from './connection.js'
import { failInProcess } from '../../seams/fail-in-process.js'
import { nameOf } from '../../seams/emitter-listeners.js'
import { allSeams, bindBus, type Bus, type Message, type SeamBinding, type Steps, type Tap } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { copiedBytes } from '@chaos/core/authoring'
import { isClosed } from '../redis/closed-client.js'
import { publications } from '../redis/commands.js'
import { writtenCommands } from './written-commands.js'

export { bindNodeRedisStreams, type NodeRedisStreamsClient, type NodeRedisStreamsClients } from './streams.js'

/** A node-redis client: the result of `createClient` of `redis` or `@redis/client`. */
export interface NodeRedisClient {
  publish(channel: never, message: never): Promise<unknown>
  sPublish(channel: never, message: never): Promise<unknown>
  pubSubNumSub(channels?: never): Promise<unknown>
  pubSubShardNumSub(channels?: never): Promise<unknown>
  getPubSubListeners(type: never): unknown
  sendCommand(args: never): Promise<unknown>
  readonly isReady: boolean
  on(event: never, listener: never): unknown
  off(event: never, listener: never): unknown
}

/** The clients of one bus. Leave out a client that this process does not have. */
export interface NodeRedisPubSubClients {
  readonly publisher?: NodeRedisClient | undefined
  readonly subscriber?: NodeRedisClient | undefined
}

type Listener = (message: unknown, channel: unknown) => unknown

/** The listeners of a channel or pattern, by the type of content that they get. */
interface Listeners {
  readonly buffers: ReadonlySet<Listener>
  readonly strings: ReadonlySet<Listener>
}

/**
 * Binds Redis publish/subscribe through node-redis. The name of a message is its channel, also for pattern subscriptions.
 *
 * A subscriber is a listener of `subscribe`, `pSubscribe` or `sSubscribe`. Each listener gets a separate delivery. A
 * publisher waits for a held message as for a slow server, beneath its timeouts and instrumentation: its connection fails
 * the message if it ends. For a dropped message it gets the current number of subscribers
 * of the channel, without patterns. Commands of `multi` are never affected. With RESP2, a listener that throws can stop the
 * client from reading, so an injected failure goes to the process instead, as an uncaught exception or an unhandled
 * rejection.
 */
export function bindNodeRedisPubSub({ publisher, subscriber }: NodeRedisPubSubClients): Bus {
  return bindBus({
    kind: 'publish/subscribe of node-redis',
    knowsSubscribers: true,
    connections: [...nodeRedisConnection('publisher', publisher), ...nodeRedisConnection('subscriber', subscriber)],
    seams: {
      publish: publisher && publishSeam(publisher),
      delivery: subscriber && deliverySeam(subscriber),
    },
  })
}

function publishSeam(client: NodeRedisClient): SeamBinding {
  const calls = (method: string, counting: 'pubSubNumSub' | 'pubSubShardNumSub'): SeamBinding =>
    methodSeam<readonly [channel: unknown, message: unknown]>({
      object: client,
      method,
      isAwaited: true,
      name: ([channel]) => String(channel),
      read(args) {
        const [channel, message] = args
        return {
          payload: args[1],
          withPayload: (payload) => replaced(args, 1, payload),
          isGone: () => isClosed(client),
          snapshot: () => [channel, copiedBytes(message)],
          async answer() {
            const counts = (await client[counting]([channel] as never)) as Readonly<Record<string, number | string>>
            // Early releases of version 5 return the number as a string.
            return Number(counts[String(channel)])
          },
        }
      },
    })
  return writtenCommands(
    client,
    publications,
    allSeams(
      calls('publish', 'pubSubNumSub'),
      calls('PUBLISH', 'pubSubNumSub'),
      calls('sPublish', 'pubSubShardNumSub'),
      calls('SPUBLISH', 'pubSubShardNumSub'),
    ),
  )
}

/**
 * node-redis exposes its sets of listeners and iterates them for each message. The iteration yields wrapped listeners;
 * the sets themselves stay unchanged.
 */
function deliverySeam(client: NodeRedisClient): SeamBinding {
  return (tap, steps) => {
    for (const type of ['CHANNELS', 'PATTERNS', 'SHARDED']) {
      const channels = client.getPubSubListeners(type as never)
      if (!(channels instanceof Map))
        throw new ChaosError(
          'CHAOS_TARGET_MISMATCH',
          'The `getPubSubListeners` of the client returns no listeners. Use redis 5 or later, or bind the client with `bindBus`.',
        )
      for (const listeners of channels.values()) tapListeners(client, listeners as Listeners, tap, steps)
      steps.patch(
        channels,
        'set',
        (below) =>
          function (this: unknown, channel: unknown, listeners: Listeners): unknown {
            tapListeners(client, listeners, tap, steps)
            return below.call.call(this, channel, listeners) as unknown
          },
      )
    }
  }
}

function tapListeners(client: NodeRedisClient, { buffers, strings }: Listeners, tap: Tap, steps: Steps): void {
  for (const listeners of [buffers, strings]) {
    steps.patch(
      listeners,
      Symbol.iterator,
      (below) =>
        function* (this: unknown): Generator<Listener> {
          for (const listener of { [Symbol.iterator]: () => below.call.call(this) as Iterator<Listener> }) {
            const original = originals.get(listener) ?? listener
            const isGone = (): boolean => isClosed(client) || !listeners.has(original)
            const tapped: Listener = (message, channel) =>
              tap.covers(String(channel))
                ? tap.take(deliveryTo(listener, message, channel, isGone))
                : listener(message, channel)
            originals.set(tapped, original)
            yield tapped
          }
        },
    )
  }
}

/** The listener of the application for each wrapped listener, below the layers of several faults. */
const originals = new WeakMap<Listener, Listener>()

function deliveryTo(listener: Listener, payload: unknown, channel: unknown, isGone: () => boolean): Message {
  const identity = originals.get(listener) ?? listener
  return {
    name: String(channel),
    args: [payload, channel],
    payload,
    subscriber: { name: nameOf(identity), identity },
    forward: () => listener(payload, channel),
    withPayload: (other) => deliveryTo(listener, other, channel, isGone),
    answer: () => undefined,
    isGone,
    fail: failInProcess,
  }
}
