import type { Move } from '../listen/move.js'
import type { DatagramAccount, DropCounts } from './datagrams/account.js'
import type { UdpProxyTarget } from './datagrams/target.js'
import type { SessionState } from './sessions/session.js'

/** What passed a UDP proxy since it was made. */
export interface UdpProxyCounters {
  /** Sessions that were opened: one for each client address and port. */
  readonly opened: number
  /** Sessions that are open now. */
  readonly open: number
  /** Sessions that were closed, since no datagram came for `idleMs`. */
  readonly expired: number
  /** Refusals that the system reported: no server listens at its port. */
  readonly refused: number
  /** Datagrams from clients to the server. */
  readonly upstream: DatagramAccount
  /** Datagrams from the server to clients. */
  readonly downstream: DatagramAccount
  /** The dropped datagrams of both directions, by reason. */
  readonly dropped: DropCounts
}

/** A UDP proxy, and a target of the faults on datagrams. */
export interface UdpProxy extends UdpProxyTarget, AsyncDisposable {
  readonly name: string
  /** Where it listens, with the actual port: `127.0.0.1:41234`. A proxy that was disabled keeps its port. */
  readonly listen: string
  readonly host: string
  readonly port: number
  readonly upstream: string
  /** Whether it listens. */
  readonly enabled: boolean
  readonly counters: UdpProxyCounters
  /** The open sessions, oldest first. */
  sessions(): readonly SessionState[]
  /**
   * Listens again, at the same port.
   *
   * @throws ChaosError `CHAOS_LISTEN_FAILED` if the port is taken, `CHAOS_PROXY_CLOSED` if the proxy is closed.
   */
  enable(): Promise<void>
  /**
   * Closes its port and all sessions. The system then refuses what clients send (ICMP "port unreachable"), as it does where no
   * server runs. Faults stay in force.
   */
  disable(): Promise<void>
  /**
   * Changes where the proxy listens and where it sends. All sessions are closed if anything changes, and what they hold is
   * dropped; faults stay in force. Port 0 always takes a new port. If it fails, nothing has changed.
   *
   * @throws ChaosError `CHAOS_INVALID_OPTION` for an address that is none, `CHAOS_LISTEN_FAILED` if the new address is taken,
   *   `CHAOS_PROXY_CLOSED` if the proxy is closed.
   */
  move(to: Move): Promise<void>
  /** Closes its port and all sessions, for good. What is held is dropped. */
  close(): Promise<void>
}
