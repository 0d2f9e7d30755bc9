import type { Duplex } from 'node:stream'
import type { EmitterLike } from '../../seams/emitter-listeners.js'
import { callBack, callingOnce } from '../../seams/callbacks.js'
import { clientEvents } from '../../seams/client-events.js'
import { watchListeners } from '../../seams/emitter-listeners.js'
import { refused, standingSocket } from '../../seams/failing-socket.js'
import { failInProcess } from '../../seams/fail-in-process.js'
import { bindBus, type Bus, type Connection, type SeamBinding } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { copiedBytes } from '@chaos/core/authoring'

/** A client of mqtt.js. */
export interface MqttClientLike extends EmitterLike {
  publish(topic: never, message: never, options: never, callback?: never): unknown
  subscribe(topic: never): unknown
  readonly connected: boolean
  readonly options: { readonly host?: string; readonly port?: number }
}

/**
 * Binds a client of MQTT through mqtt.js. A message's name is its topic.
 *
 * A subscriber is a listener of `message`. The client acknowledges QoS 1 and 2 by itself, whatever its listeners do: a message that is held or lost at
 * delivery is acknowledged all the same. At publish, a callback (and the promise of `publishAsync`) ends when a held message has gone through, and
 * at once for one that is lost. A listener that throws would leave the client deaf for good: an injected failure goes to the process instead, as
 * an uncaught exception or an unhandled rejection.
 */
export function bindMqtt(client: MqttClientLike): Bus {
  return bindBus({
    kind: 'an MQTT client',
    knowsSubscribers: true,
    watchListeners: (see) => watchListeners(client, see),
    connections: [connectionOf(client)],
    seams: {
      publish: publishSeam(client),
      delivery: clientEvents(client, {
        message: {
          name: ([, topic]) => topic as string,
          payloadAt: 2,
          replace: ([event, topic, , packet], payload) => [event, topic, payload, { ...(packet as object), payload }],
          fail: failInProcess,
          isGone: hasEnded,
        },
      }),
    },
  })
}

function connectionOf(client: MqttClientLike): Connection {
  return {
    name: 'connection',
    standing: () => (client.connected ? standingSocket(Reflect.get(client, 'stream') as Duplex) : []),
    attempts: (isRefused, steps) =>
      steps.patch(
        client,
        'streamBuilder',
        (below) =>
          function (this: unknown, ...args: readonly unknown[]): unknown {
            const stream = below.call.apply(this, args) as Duplex
            return isRefused() ? refused(stream, client.options) : stream
          },
      ),
  }
}

/** Whether `end` was called, and `reconnect` was not since. */
const hasEnded = (client: object): boolean =>
  Reflect.get(client, 'disconnecting') === true || Reflect.get(client, 'disconnected') === true

/** `publishAsync` comes here, too. */
function publishSeam(client: MqttClientLike): SeamBinding {
  return methodSeam<readonly [topic: string, message: unknown, ...rest: readonly unknown[]]>({
    object: client,
    method: 'publish',
    name: ([topic]) => topic,
    read: (args) => ({
      payload: args[1],
      withPayload: (payload) => replaced(args, 1, payload),
      answer: () => client,
      snapshot: () => callingOnce(replaced(args, 1, copiedBytes(args[1]))),
      isGone: () => hasEnded(client),
      lose: () => callBack(args),
      loseLate: () => callBack(args, new Error('client disconnecting')),
    }),
  })
}
