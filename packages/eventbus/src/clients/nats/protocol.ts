import type { Socket } from 'node:net'
import { ChaosError } from '@chaos/core'

/** A subscription of a connection. */
export interface Subscription {
  readonly subject: string
  readonly queue?: string
}
interface Transport {
  readonly socket?: Socket
  disconnect(): void
}
/** The private part of a connection that sends and receives. */
export interface Protocol {
  readonly connected: boolean
  isClosed(): boolean
  readonly transport: Transport
  /** The requests that wait for their replies, by the end of the subject to which these go. */
  readonly muxSubscriptions: { readonly baseInbox?: string; get(token: string): { cancel(): void } | undefined }
  readonly subscriptions: { get(sid: number): Subscription | undefined }
}

/**
 * The protocol of a connection.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when `connection` is not a connection of NATS.js 3.
 */
export function protocolOf(connection: object): Protocol {
  const protocol: unknown = Reflect.get(connection, 'protocol')
  if (typeof protocol === 'object' && protocol !== null && 'processMsg' in protocol)
    return protocol as unknown as Protocol
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    'The target is not a connection of NATS.js 3. Pass the result of `connect` of `@nats-io/transport-node`.',
  )
}
