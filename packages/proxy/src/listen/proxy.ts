import type { Fault } from '@chaos/core'
import type { ByteAccount } from '../links/byte-account.js'
import type { StreamChoice } from '../toxics/toxic.js'
import type { ConnectionState } from '../connections/connection.js'
import type { Move } from './move.js'
import type { TlsCounters } from '../tls/proxy-tls.js'
import type { ProxyTarget } from '../toxics/engine.js'

/** A fault in force on a proxy. */
export interface ToxicState {
  /** The id of the injection. */
  readonly id: string
  /** The name of the fault: `proxy/delay-data`. */
  readonly fault: string
  /** The options in force: those of the last update. */
  readonly options: Readonly<Record<string, unknown>>
  /** `undefined` for a fault that acts before the upstream is dialled. */
  readonly stream: StreamChoice | undefined
  /** The number of live connections that it has affected. */
  readonly affected: number
}

/** What passed a proxy since it was made. */
export interface ProxyCounters {
  /** Connections that were accepted. */
  readonly accepted: number
  /** Connections that are open now, or being opened or closed. */
  readonly open: number
  /** Connections that were turned away, since `maxConnections` were open. */
  readonly turnedAway: number
  /** Bytes from clients to servers. */
  readonly upstream: ByteAccount
  /** Bytes from servers to clients. */
  readonly downstream: ByteAccount
  /** The handshakes that failed, if the proxy speaks TLS. */
  readonly tls?: TlsCounters
}

/** A TCP proxy, and a target of the faults of this package. */
export interface Proxy extends ProxyTarget, AsyncDisposable {
  readonly name: string
  /** Where it listens, with the actual port: `127.0.0.1:41234`. A proxy that was disabled keeps its port. */
  readonly listen: string
  readonly host: string
  readonly port: number
  readonly upstream: string
  /** Whether it listens. */
  readonly enabled: boolean
  readonly counters: ProxyCounters
  /** The live connections, oldest first. */
  connections(): readonly ConnectionState[]
  /** The faults in force, in the order in which bytes pass them. */
  toxics(): readonly ToxicState[]
  /**
   * Listens again, at the same port.
   *
   * @throws ChaosError `CHAOS_LISTEN_FAILED` if the port is taken, `CHAOS_PROXY_CLOSED` if the proxy is closed.
   */
  enable(): Promise<void>
  /** Stops listening, so that clients are refused, and closes live connections. Faults stay in force. */
  disable(): Promise<void>
  /**
   * Changes where the proxy listens and connects. Live connections are closed if anything changes; faults stay in force.
   * Port 0 always takes a new port. If it fails, nothing has changed.
   *
   * @throws ChaosError `CHAOS_INVALID_OPTION` for an address that is none, `CHAOS_LISTEN_FAILED` if the new address is taken,
   *   `CHAOS_PROXY_CLOSED` if the proxy is closed.
   */
  move(to: Move): Promise<void>
  /**
   * Replaces the options of a fault in force by those of another one of its kind. Decisions, counters and what is held stay.
   * The state of the injection keeps the options that it was made with; {@link toxics} shows those in force.
   *
   * @param id The id of the injection.
   * @throws ChaosError `CHAOS_UNKNOWN_INJECTION` if no such injection is in force on this proxy, `CHAOS_INVALID_OPTION` if `fault`
   *   is not made by a factory, or is of another kind or for another `stream`.
   */
  update(id: string, fault: Fault<ProxyTarget>): void
  /**
   * Asks a fault's blast radius again for each live connection, after what its predicate `only` reads has changed. Connections
   * that it covers no longer are left alone from now on; those that it covers now and did not before are decided. All others
   * keep their decision.
   *
   * @param id The id of the injection.
   * @throws ChaosError `CHAOS_UNKNOWN_INJECTION` if no such injection is in force on this proxy.
   */
  reconsider(id: string): void
  /** Stops listening and closes all connections, for good. */
  close(): Promise<void>
}
