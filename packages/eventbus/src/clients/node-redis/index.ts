import { ChaosError } from '@chaos/core'
import { nodeRedisConnection } from './connection.js'
import { failInProcess } from '../../seams/fail-in-process.js'
import { nameOf } from '../../seams/emitter-listeners.js'
import { allSeams, bindBus, type Bus, type Message, type SeamBinding, type Steps, type Tap } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { copiedBytes } from '@chaos/core/authoring'

export { bindNodeRedisStreams, type NodeRedisStreamsClient, type NodeRedisStreamsClients } from './streams.js'

/** A client of node-redis, made by `createClient` of `redis` or `@redis/client`. */
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

/** The clients of one bus. Leave out what is elsewhere. */
export interface NodeRedisPubSubClients {
  readonly publisher?: NodeRedisClient | undefined
  readonly subscriber?: NodeRedisClient | undefined
}

type Listener = (message: unknown, channel: unknown) => unknown

/** What node-redis keeps of a channel or pattern: who listens, by the kind of content that it asked for. */
interface Listeners {
  readonly buffers: ReadonlySet<Listener>
  readonly strings: ReadonlySet<Listener>
}

/**
 * Binds the publish/subscribe of Redis through node-redis. A message's name is its channel, also where a pattern has subscribed.
 *
 * A subscriber is a listener that was given to `subscribe`, `pSubscribe` or `sSubscribe`; each gets a delivery of its own. A publisher whose
 * message is held waits as for a slow server; one whose message is lost is told how many have subscribed to the channel by name, as the server
 * says then. Commands of `multi` pass straight through. A listener that throws may leave the client deaf (RESP2): an injected failure goes to the
 * process instead, as an uncaught exception or an unhandled rejection.
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
  return allSeams(
    calls('publish', 'pubSubNumSub'),
    calls('PUBLISH', 'pubSubNumSub'),
    calls('sPublish', 'pubSubShardNumSub'),
    calls('SPUBLISH', 'pubSubShardNumSub'),
  )
}

/** node-redis reads each message's listeners out of sets, which it shows: what they yield is led through the tap. Who is in them stays as it is. */
function deliverySeam(client: NodeRedisClient): SeamBinding {
  return (tap, steps) => {
    for (const type of ['CHANNELS', 'PATTERNS', 'SHARDED']) {
      const channels = client.getPubSubListeners(type as never)
      if (!(channels instanceof Map))
        throw new ChaosError(
          'CHAOS_TARGET_MISMATCH',
          'Expected a client whose `getPubSubListeners` shows its listeners, as those of redis 5 and later do, got another. Bind it by a seam of your own.',
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
            const original = given.get(listener) ?? listener
            const isGone = (): boolean => isClosed(client) || !listeners.has(original)
            const tapped: Listener = (message, channel) =>
              tap.covers(String(channel))
                ? tap.take(deliveryTo(listener, message, channel, isGone))
                : listener(message, channel)
            given.set(tapped, original)
            yield tapped
          }
        },
    )
  }
}

/** Whether a client was closed by its application. One that reconnects is open. */
const isClosed = (client: object): boolean => Reflect.get(client, 'isOpen') === false

/** What was given to `subscribe`, beneath the layers of several faults. */
const given = new WeakMap<Listener, Listener>()

function deliveryTo(listener: Listener, payload: unknown, channel: unknown, isGone: () => boolean): Message {
  const identity = given.get(listener) ?? listener
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
