import { ChaosError, type Clock } from '@chaos/core'
import { checkOptions, option, optionsSchema, systemClock } from '@chaos/core/authoring'
import { parseAddress } from '../sockets/address.js'
import { proxyTls } from '../tls/proxy-tls.js'
import type { TlsOptions, UpstreamTlsOptions } from '../tls/tls-options.js'
import { ProxyEngine } from './proxy-engine.js'
import type { Proxy } from './proxy.js'
import { WorkerProxy } from './thread/worker-proxy.js'

/** Where a proxy listens and connects, and its limits. */
export interface ProxyOptions {
  /** The server: `host:port`. `localhost` is tried at 127.0.0.1 first. */
  readonly upstream: string
  /** Where to listen: `host:port`. Default `127.0.0.1:0`, a free port of the loopback interface. */
  readonly listen?: string | undefined
  /** The name of the proxy, for messages. Default: `upstream`. */
  readonly name?: string | undefined
  /** Whether it listens at once. Default `true`. */
  readonly enabled?: boolean | undefined
  /**
   * The longest time until the server has accepted a connection, and of each handshake of TLS, in ms. The client is then
   * closed. Default 10,000.
   */
  readonly connectTimeoutMs?: number | undefined
  /** The most connections at a time. Further ones are closed at once. Default 10,000. */
  readonly maxConnections?: number | undefined
  /**
   * The most bytes that faults hold back on one stream of one connection. Then the proxy stops reading, and the sender has to
   * wait. The last read, of up to 256 KiB, may exceed it. Default 16,777,216 (16 MiB).
   */
  readonly maxHeldBytes?: number | undefined
  /**
   * Whether to use nothing undocumented of Node.js. By default, an accepted connection reads into a reused buffer, which is
   * faster, if this Node.js allows it. Default `false`.
   */
  readonly publicApiOnly?: boolean | undefined
  /**
   * Whether the proxy listens and runs in a worker thread of its own, so that bytes flow, and leases end, while this thread is
   * blocked. Options and faults are data then: no function, no `clock`, and `tls` with `cert` and `key` instead of an
   * authority. Default `false`.
   */
  readonly worker?: boolean | undefined
  /**
   * Speaks TLS to clients, so that faults act on the plain bytes. Without `upstreamTls`, the connection to the server is
   * plain. Default: what clients send passes as it is.
   */
  readonly tls?: TlsOptions | undefined
  /** Speaks TLS to the server, which `{}` verifies as Node.js does by default. Default: what clients send passes as it is. */
  readonly upstreamTls?: UpstreamTlsOptions | undefined
  /**
   * Whether to read which server a client asks for (SNI) where TLS passes through, before faults decide: `only` gets it as
   * `serverName`. A client that says nothing is waited for, up to 3 s, before the server is dialled. So leave it off for
   * protocols in which the server speaks first, such as MySQL or SMTP. Default `false`. Always so with `tls`.
   */
  readonly readServerName?: boolean | undefined
  /** The source of time for `connectTimeoutMs`. Default: the real clock. Faults have the clock of their injection. */
  readonly clock?: Clock | undefined
}

const schema = optionsSchema({
  upstream: option.text('The server: host:port.', 300),
  listen: option.optional(option.text('Where to listen: host:port.', 300), '127.0.0.1:0'),
  name: option.optional(option.text('The name of the proxy, for messages.', 100)),
  enabled: option.optional(option.flag('Whether it listens at once.'), true),
  connectTimeoutMs: option.optional(option.durationMs('The longest time until the server has accepted.'), 10_000),
  maxConnections: option.optional(option.count('The most connections at a time.', 1), 10_000),
  maxHeldBytes: option.optional(option.count('The most bytes held on one stream.', 65_536, 1_073_741_824), 16_777_216),
  publicApiOnly: option.optional(option.flag('Whether to use nothing undocumented of Node.js.'), false),
  worker: option.optional(option.flag('Whether it runs in a worker thread of its own.'), false),
  tls: option.optional(option.object('Speaks TLS to clients.')),
  upstreamTls: option.optional(option.object('Speaks TLS to the server.')),
  readServerName: option.optional(option.flag('Whether to read the server name where TLS passes through.'), false),
  clock: option.optional(
    option.live<Clock>((value) => 'now' in value && 'after' in value, 'a clock', 'The source of time.'),
  ),
})

/**
 * Makes a TCP proxy, which faults of this package break. It listens when this resolves, unless `enabled` is `false`.
 *
 * With `worker: true` it is the same, except that reading its counters, connections and faults waits for the other thread.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option, `CHAOS_LISTEN_FAILED` if the address is taken or does not exist.
 */
export async function createProxy(options: ProxyOptions): Promise<Proxy> {
  const {
    upstream,
    listen,
    enabled,
    name,
    clock = systemClock,
    publicApiOnly,
    worker,
    tls,
    upstreamTls,
    readServerName,
    ...limits
  } = checkOptions(schema, options, 'createProxy')
  const settings = {
    ...limits,
    name: name ?? upstream,
    listen: parseAddress(listen, 'listen'),
    upstream: parseAddress(upstream, 'upstream', 1),
    clock,
    isPublicOnly: publicApiOnly,
    readsHello: readServerName || tls !== undefined,
    tls: proxyTls(tls, upstreamTls),
  }
  if (worker) return WorkerProxy.start(settings.name, optionsForThread(options))
  const proxy = new ProxyEngine(settings)
  if (enabled) await proxy.enable()
  return proxy
}

function optionsForThread({ worker: _worker, clock, ...options }: ProxyOptions): ProxyOptions {
  const refuse = (why: string): never => {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `A proxy in a worker thread ${why}, or make the proxy without \`worker\`.`,
    )
  }
  if (clock !== undefined) refuse('has the real clock. Leave `clock` out')
  if (options.tls?.authority !== undefined)
    refuse('cannot ask an authority for certificates. Pass `tls: authority.serverIdentity(names)`')
  return options
}
