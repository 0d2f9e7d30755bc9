import { Buffer } from 'node:buffer'
import { refusal, standingSocket } from '../../seams/failing-socket.js'
import { failInProcess } from '../../seams/fail-in-process.js'
import { bindBus, type Bus, type Connection, type SeamBinding } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { bytesOf, copiedBytes } from '@chaos/core/authoring'
import { baggageIn, withBaggage, type EncodedHeaders } from './headers.js'
import { protocolOf, type Protocol, type Subscription } from './protocol.js'

/** A connection of NATS.js 3: the result of `connect` of `@nats-io/transport-node` or of another transport. */
export interface NatsConnectionLike {
  publish(subject: never, payload?: never, options?: never): void
  subscribe(subject: never, options?: never): unknown
  reconnect(): Promise<void>
}

/** The frame of a message. The first `hdr` bytes of the data are the header; without a header, `hdr` is negative. */
interface Frame {
  readonly subject: Uint8Array
  readonly sid: number
  readonly hdr: number
  readonly size: number
}
/**
 * Binds a NATS connection. The name of a message is its subject, including requests and replies.
 *
 * Each subscription gets a separate delivery, with a callback or an iterator. The name of a subscriber is its queue group, or
 * else the subject of its subscription. Internal subjects of the server (`$SYS`, `$JS`, …) are never affected. A callback that
 * throws stops the client from reading until it reconnects, so an injected failure goes to the process instead, as an
 * uncaught exception or an unhandled rejection.
 */
export function bindNats(connection: NatsConnectionLike): Bus {
  const protocol = protocolOf(connection)
  return bindBus({
    kind: 'a connection to NATS',
    knowsSubscribers: true,
    carriesScopes: true,
    connections: [connectionOf(protocol)],
    seams: { publish: publishSeam(protocol), delivery: deliverySeam(protocol) },
  })
}

/** Each attempt to connect has a new transport. A refused attempt fails as with a closed port. */
function connectionOf(protocol: Protocol): Connection {
  return {
    name: 'connection',
    standing: () => {
      if (!protocol.connected) return []
      const { transport } = protocol
      return transport.socket === undefined ? [() => transport.disconnect()] : standingSocket(transport.socket)
    },
    attempts: (isRefused, steps) =>
      steps.patch(
        protocol,
        'prepare',
        (below) =>
          function (this: unknown): unknown {
            const prepared = below.call.call(this) as unknown
            const { transport } = protocol
            if (isRefused())
              Reflect.set(transport, 'dial' in transport ? 'dial' : 'connect', () => Promise.reject(refusal({})))
            return prepared
          },
      ),
  }
}

/**
 * Below the `publish` of the connection: requests and responses pass here, too, and the connection has already rejected
 * invalid messages.
 */
function publishSeam(protocol: Protocol): SeamBinding {
  return methodSeam<
    readonly [subject: string, payload?: unknown, options?: { readonly headers?: EncodedHeaders | undefined }]
  >({
    object: protocol,
    method: 'publish',
    name: ([subject]) => nameOf(subject),
    read(args) {
      const [subject, payload, options] = args
      return {
        payload: args[1],
        withPayload: (payload) => replaced(args, 1, payload),
        withBaggage: (write) => [subject, payload, { ...options, headers: withBaggage(options?.headers, write) }],
        isGone: () => protocol.isClosed(),
        snapshot: () => [subject, copiedBytes(payload), { ...options }],
      }
    },
  })
}

function deliverySeam(protocol: Protocol): SeamBinding {
  return methodSeam<readonly [frame: Frame, data: Uint8Array]>({
    object: protocol,
    method: 'processMsg',
    name: ([{ subject }]) => nameOf(bytesOf(subject).toString()),
    read([frame, data]) {
      const subscriptionNow = (): Subscription | undefined => protocol.subscriptions.get(frame.sid)
      const subscription = subscriptionNow()
      // Without a subscription there is no delivery.
      if (subscription === undefined) return undefined
      const headerSize = Math.max(0, frame.hdr)
      return {
        get payload() {
          return data.subarray(headerSize)
        },
        baggage: () => baggageIn(data.subarray(0, headerSize)),
        withPayload(payload) {
          const changed = Buffer.concat([data.subarray(0, headerSize), payload as Uint8Array])
          return [{ ...frame, size: changed.length }, changed]
        },
        isGone: () => protocol.isClosed() || subscriptionNow() === undefined,
        subscriber: { name: subscription.queue ?? subscription.subject, identity: subscription },
        fail: failInProcess,
      }
    },
  })
}

/** Subjects that begin with `$` are internal to the server. */
const nameOf = (subject: string): string | undefined => (subject.startsWith('$') ? undefined : subject)
