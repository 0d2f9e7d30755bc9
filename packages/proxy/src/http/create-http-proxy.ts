import type { Clock } from '@chaos/core'
import { checkOptions, option, optionsSchema, systemClock } from '@chaos/core/authoring'
import { parseAddress } from '../sockets/address.js'
import { clientTls, type HttpTlsOptions } from './client-tls.js'
import { HttpProxyEngine } from './http-proxy-engine.js'
import type { HttpProxy } from './http-proxy.js'
import { httpUpstream } from './http-upstream.js'
import type { HttpUpstreamTlsOptions } from './upstream-tls.js'

/** Where an HTTP proxy listens and connects, and its limits. */
export interface HttpProxyOptions {
  /** The origin of the server: `http://127.0.0.1:3000` or `https://127.0.0.1:3443`. `localhost` is tried at 127.0.0.1 first. */
  readonly upstream: string
  /** Where to listen: `host:port`. Default `127.0.0.1:0`, a free port of the loopback interface. */
  readonly listen?: string | undefined
  /** The name of the proxy, for messages. Default: `upstream`. */
  readonly name?: string | undefined
  /** Whether it listens at once. Default `true`. */
  readonly enabled?: boolean | undefined
  /**
   * The `Host` that the server gets. `upstream`: its own, as from a client that calls it directly; `client`: the one that the
   * client sent. Default `upstream`.
   */
  readonly hostHeader?: 'upstream' | 'client' | undefined
  /** Speaks TLS to clients (HTTPS). Default: clients speak plain HTTP. */
  readonly tls?: HttpTlsOptions | undefined
  /** How to speak TLS to an `upstream` of `https:`. Default `{}`: it is verified as Node.js does by default. */
  readonly upstreamTls?: HttpUpstreamTlsOptions | undefined
  /**
   * The longest time until the server has accepted a connection, handshake of TLS included, in ms; the client's is then
   * closed. Also the longest time of a handshake with a client. Default 10,000.
   */
  readonly connectTimeoutMs?: number | undefined
  /**
   * The longest time until the headers of a request are complete, in ms; a client that is slower gets status 408. It is
   * looked at every 30 s, or as often as it is long if that is more often. 0: no limit. Default 60,000, as in Node.js.
   */
  readonly headersTimeoutMs?: number | undefined
  /** The most bytes in the headers of a request, which else gets status 431, or of an answer. Default 65,536. */
  readonly maxHeaderBytes?: number | undefined
  /** The most connections at a time. Further ones are closed at once. Default 10,000. */
  readonly maxConnections?: number | undefined
  /**
   * The most bytes of one body that faults hold back. Then the proxy stops reading, and the sender has to wait. Default
   * 16,777,216 (16 MiB).
   */
  readonly maxHeldBytes?: number | undefined
  /** The source of time for `connectTimeoutMs`. Default: the real clock. Faults have the clock of their injection. */
  readonly clock?: Clock | undefined
}

const schema = optionsSchema({
  upstream: option.text('The origin of the server: http://host:port or https://host:port.', 300),
  listen: option.optional(option.text('Where to listen: host:port.', 300), '127.0.0.1:0'),
  name: option.optional(option.text('The name of the proxy, for messages.', 100)),
  enabled: option.optional(option.flag('Whether it listens at once.'), true),
  hostHeader: option.optional(option.oneOf(['upstream', 'client'], 'The `Host` that the server gets.'), 'upstream'),
  tls: option.optional(option.object('Speaks TLS to clients.')),
  upstreamTls: option.optional(option.object('Speaks TLS to the server.')),
  connectTimeoutMs: option.optional(option.durationMs('The longest time until the server has accepted.'), 10_000),
  headersTimeoutMs: option.optional(option.durationMs('The longest time until the headers are complete.'), 60_000),
  maxHeaderBytes: option.optional(option.count('The most bytes in the headers.', 1_024, 1_048_576), 65_536),
  maxConnections: option.optional(option.count('The most connections at a time.', 1), 10_000),
  maxHeldBytes: option.optional(option.count('The most bytes held of one body.', 65_536, 1_073_741_824), 16_777_216),
  clock: option.optional(
    option.live<Clock>((value) => 'now' in value && 'after' in value, 'a clock', 'The source of time.'),
  ),
})

/**
 * Makes a reverse proxy for HTTP/1.1, which the HTTP faults of this package break. It listens when this resolves, unless
 * `enabled` is `false`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option, `CHAOS_LISTEN_FAILED` if the address is taken or does not exist.
 */
export async function createHttpProxy(options: HttpProxyOptions): Promise<HttpProxy> {
  const {
    upstream: origin,
    listen,
    enabled,
    name,
    hostHeader,
    tls,
    upstreamTls: toUpstream,
    clock = systemClock,
    ...limits
  } = checkOptions(schema, options, 'createHttpProxy')
  const at = parseAddress(listen, 'listen')
  const proxy = new HttpProxyEngine({
    ...limits,
    name: name ?? origin,
    listen: at,
    upstream: httpUpstream(origin, toUpstream),
    redirect: (to) => httpUpstream(to, toUpstream),
    clientTls: tls && clientTls(tls, at.host),
    keepsHost: hostHeader === 'client',
    clock,
  })
  if (enabled) await proxy.enable()
  return proxy
}
