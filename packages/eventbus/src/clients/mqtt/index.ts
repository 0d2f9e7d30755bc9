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

/** An mqtt.js client. */
export interface MqttClientLike extends EmitterLike {
  publish(topic: never, message: never, options: never, callback?: never): unknown
  subscribe(topic: never): unknown
  readonly connected: boolean
  readonly options: { readonly host?: string; readonly port?: number }
}

/**
 * Binds an MQTT client of mqtt.js. The name of a message is its topic.
 *
 * A subscriber is a listener of `message`. The client acknowledges QoS 1 and 2 by itself, so a message that is held or
 * dropped at delivery is acknowledged all the same. At publish, the callback (or the promise of `publishAsync`) settles when
 * a held message is sent, and at once for a dropped one. A listener that throws stops the client from reading for good, so an
 * injected failure goes to the process instead, as an uncaught exception or an unhandled rejection.
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

/** Whether `end` was called, without a later `reconnect`. */
const hasEnded = (client: object): boolean =>
  Reflect.get(client, 'disconnecting') === true || Reflect.get(client, 'disconnected') === true

/** The publish seam. `publishAsync` calls `publish`. */
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
