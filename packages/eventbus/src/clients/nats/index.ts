import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { ChaosError } from '@chaos/core'
import { refusal, standingSocket } from '../../seams/failing-socket.js'
import { failInProcess } from '../../seams/fail-in-process.js'
import { bindBus, type Bus, type Connection, type SeamBinding } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { bytesOf, copiedBytes } from '@chaos/core/authoring'

/** A connection made by `connect` of `@nats-io/transport-node`, or of another transport of NATS.js 3. */
export interface NatsConnectionLike {
  publish(subject: never, payload?: never, options?: never): void
  subscribe(subject: never, options?: never): unknown
  reconnect(): Promise<void>
}

/** A message as the connection reads it: the header, if there is one, is the first `hdr` bytes of its data. */
interface Frame {
  readonly subject: Uint8Array
  readonly sid: number
  readonly hdr: number
  readonly size: number
}
interface Subscription {
  readonly subject: string
  readonly queue?: string
}
interface Transport {
  readonly socket?: Socket
  disconnect(): void
}
interface Protocol {
  readonly connected: boolean
  isClosed(): boolean
  readonly transport: Transport
  readonly subscriptions: { get(sid: number): Subscription | undefined }
}

/**
 * Binds a connection to NATS. A message's name is its subject, requests and replies included.
 *
 * Each subscription gets a delivery of its own, whether it has a callback or is iterated; its subscriber is named after its queue group, or else
 * after the subject that it asked for. Subjects of the server's own (`$SYS`, `$JS`, …) pass straight through. A callback that throws would leave the
 * client deaf until it reconnects: an injected failure goes to the process instead, as an uncaught exception or an unhandled rejection.
 */
export function bindNats(connection: NatsConnectionLike): Bus {
  const protocol = protocolOf(connection)
  return bindBus({
    kind: 'a connection to NATS',
    knowsSubscribers: true,
    connections: [connectionOf(protocol)],
    seams: { publish: publishSeam(protocol), delivery: deliverySeam(protocol) },
  })
}

function protocolOf(connection: NatsConnectionLike): Protocol {
  const protocol: unknown = Reflect.get(connection, 'protocol')
  if (typeof protocol === 'object' && protocol !== null && 'processMsg' in protocol)
    return protocol as unknown as Protocol
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    'Expected a connection of NATS.js 3 (`connect` of `@nats-io/transport-node`), got something else.',
  )
}

/** Each attempt has a transport of its own; one that is refused fails as it does where nothing listens. */
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

/** Beneath the connection's own `publish`, so that requests and responses pass, too, and what is refused is refused at once. */
function publishSeam(protocol: Protocol): SeamBinding {
  return methodSeam<readonly [subject: string, payload?: unknown, options?: object]>({
    object: protocol,
    method: 'publish',
    name: ([subject]) => nameOf(subject),
    read(args) {
      const [subject, payload, options] = args
      return {
        payload: args[1],
        withPayload: (payload) => replaced(args, 1, payload),
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

/** Subjects that begin with `$` are how the server talks about itself. */
const nameOf = (subject: string): string | undefined => (subject.startsWith('$') ? undefined : subject)
