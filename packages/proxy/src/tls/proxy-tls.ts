import { printable } from '@chaos/core/authoring'
import { Origination } from './origination.js'
import { Termination, type HandshakeEvents } from './termination.js'
import { checkTls, checkUpstreamTls, type ClientTls, type UpstreamTls } from './tls-options.js'

/** The handshakes of a proxy that failed since it was made. */
export interface TlsCounters {
  /** Handshakes with clients that failed. */
  readonly failedClients: number
  /** Handshakes with the server that failed. */
  readonly failedUpstreams: number
  /** The last reason that is known, in the words of Node.js and OpenSSL. A peer that leaves gives none. */
  readonly lastFailure: string | undefined
}

/** The ends of a connection. */
export type Side = 'client' | 'upstream'

/** TLS of a proxy: with its clients, with its server, or with both. */
export class ProxyTls {
  readonly termination: Termination | undefined
  readonly origination: Origination | undefined
  readonly #failed: Record<Side, number> = { client: 0, upstream: 0 }
  #lastFailure: string | undefined

  /** @throws ChaosError `CHAOS_INVALID_OPTION` for certificates and keys that are none, or do not fit. */
  constructor(client: ClientTls | undefined, upstream: UpstreamTls | undefined) {
    this.termination = client && new Termination(client, this.#events('client'))
    this.origination = upstream && new Origination(upstream, this.#events('upstream'))
  }

  get counters(): TlsCounters {
    const { client, upstream } = this.#failed
    return { failedClients: client, failedUpstreams: upstream, lastFailure: this.#lastFailure }
  }

  /** Counts a handshake that was not completed. */
  countFailure(side: Side): void {
    this.#failed[side] += 1
  }

  /** Notes why a handshake fails, or has failed. */
  noteReason(side: Side, why: string): void {
    this.#lastFailure = printable(`${side}: ${why.trim()}`)
  }

  #events(side: Side): HandshakeEvents {
    return { onFailure: () => this.countFailure(side), onReason: (why) => this.noteReason(side, why) }
  }
}

/**
 * Makes the TLS of a proxy.
 *
 * @returns `undefined` if it speaks TLS to nobody.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option, or certificates and keys that are none or do not fit.
 */
export function proxyTls(tls: unknown, upstreamTls: unknown): ProxyTls | undefined {
  if (tls === undefined && upstreamTls === undefined) return undefined
  return new ProxyTls(
    tls === undefined ? undefined : checkTls(tls),
    upstreamTls === undefined ? undefined : checkUpstreamTls(upstreamTls),
  )
}
