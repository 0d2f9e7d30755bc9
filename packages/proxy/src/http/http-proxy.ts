import type { ByteAccount } from '../links/byte-account.js'
import type { Move } from '../listen/move.js'
import type { RequestOutcome, RequestState } from './request-state.js'
import type { HttpProxyTarget } from './target.js'

/** What passed an HTTP proxy since it was made. */
export interface HttpProxyCounters {
  /** Connections that were accepted. */
  readonly accepted: number
  /** Connections that are open now. */
  readonly open: number
  /** Connections that were turned away, since `maxConnections` were open. */
  readonly turnedAway: number
  /** Requests that came: `requests = live + answered + injected + cut + failed + abandoned + tunnelled`. */
  readonly requests: number
  /** Requests under way. */
  readonly live: number
  /** Requests by how they ended. */
  readonly outcomes: Readonly<Record<RequestOutcome, number>>
  /** Connections on which something came that is no request, or too much of one, or too slowly. */
  readonly invalid: number
  /** Bytes of the bodies of requests, without framing. */
  readonly upstream: ByteAccount
  /** Bytes of the bodies of answers, without framing. */
  readonly downstream: ByteAccount
}

/** An HTTP proxy, and a target of the HTTP faults of this package. */
export interface HttpProxy extends HttpProxyTarget, AsyncDisposable {
  readonly name: string
  /** For clients: `http://127.0.0.1:41234`. */
  readonly url: string
  /** Where it listens, with the actual port: `127.0.0.1:41234`. A proxy that was disabled keeps its port. */
  readonly listen: string
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:3000` */
  readonly upstream: string
  /** Whether it listens. */
  readonly enabled: boolean
  readonly counters: HttpProxyCounters
  /** The live requests, oldest first. */
  requests(): readonly RequestState[]
  /**
   * Listens again, at the same port.
   *
   * @throws ChaosError `CHAOS_LISTEN_FAILED` if the port is taken, `CHAOS_PROXY_CLOSED` if the proxy is closed.
   */
  enable(): Promise<void>
  /** Stops listening, so that clients are refused, and closes live connections. Faults stay in force. */
  disable(): Promise<void>
  /**
   * Changes where the proxy listens and connects; `upstream` is an origin. Live connections are closed if anything changes;
   * faults stay in force. Port 0 always takes a new port. If it fails, nothing has changed.
   *
   * @throws ChaosError `CHAOS_INVALID_OPTION` for an address or an origin that is none, and for `http:` if the proxy has
   *   `upstreamTls`; `CHAOS_LISTEN_FAILED` if the new address is taken, `CHAOS_PROXY_CLOSED` if the proxy is closed.
   */
  move(to: Move): Promise<void>
  /** Stops listening and closes all connections, for good. */
  close(): Promise<void>
}
