import type { Duplex } from 'node:stream'
import type { EmitterLike } from '../../seams/emitter-listeners.js'
import { clientEvents } from '../../seams/client-events.js'
import { watchListeners } from '../../seams/emitter-listeners.js'
import { refused, standingSocket } from '../../seams/failing-socket.js'
import { failInProcess } from '../../seams/fail-in-process.js'
import { bindBus, type Bus, type Connection, type SeamBinding } from '../../seams/bus.js'
import { BAGGAGE } from '../../seams/message-scope.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { packetSeam } from './publish.js'

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
 * dropped at delivery is acknowledged all the same. A listener that throws stops the client from reading for good, so an
 * injected failure goes to the process instead, as an uncaught exception or an unhandled rejection.
 *
 * `publish` acts on the packets that the client writes to its connection, beneath its store. With QoS 1 and 2, the callback of
 * a held message (or the promise of `publishAsync`) waits for the broker; with QoS 0 it is called at once, as the system takes
 * the bytes. A dropped message counts as acknowledged. If the connection breaks, a held message is lost with it, and the client
 * sends its stored messages again, which the fault may affect again.
 */
export function bindMqtt(client: MqttClientLike): Bus {
  return bindBus({
    kind: 'an MQTT client',
    knowsSubscribers: true,
    carriesScopes: true,
    watchListeners: (see) => watchListeners(client, see),
    connections: [connectionOf(client)],
    handsOver: callSeam(client),
    seams: {
      publish: packetSeam(client),
      delivery: clientEvents(client, {
        message: {
          name: ([, topic]) => topic as string,
          payloadAt: 2,
          baggage: ([, , , packet]) => userPropertiesOf(packet)?.[BAGGAGE],
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

/** The calls of the application. `publishAsync` calls `publish`. */
function callSeam(client: MqttClientLike): SeamBinding {
  return methodSeam<readonly [topic: string, ...rest: readonly unknown[]]>({
    object: client,
    method: 'publish',
    name: ([topic]) => topic,
    read(args) {
      const [topic, message, given, ...rest] = args
      const hasOptions = typeof given === 'object' && given !== null
      return {
        payload: message,
        withPayload: (payload) => replaced(args, 1, payload),
        // Earlier versions of the protocol have no properties.
        withBaggage: isVersion5(client)
          ? (write) =>
              hasOptions
                ? [topic, message, withProperty(given, write), ...rest]
                : [topic, message, withProperty({}, write), ...args.slice(2)]
          : undefined,
      }
    },
  })
}

/** The options of a call, or a packet, with the properties that the application gives a message. */
interface WithProperties {
  readonly properties?: { readonly userProperties?: Readonly<Record<string, unknown>> } | undefined
}

const isVersion5 = ({ options }: MqttClientLike): boolean => Reflect.get(options, 'protocolVersion') === 5

const userPropertiesOf = (packet: unknown): Readonly<Record<string, unknown>> | undefined =>
  (packet as WithProperties | undefined)?.properties?.userProperties

function withProperty(options: WithProperties, write: (given?: unknown) => string): WithProperties {
  const { properties } = options
  const given = userPropertiesOf(options)
  const userProperties = { ...given, [BAGGAGE]: write(given?.[BAGGAGE]) }
  return { ...options, properties: { ...properties, userProperties } }
}
