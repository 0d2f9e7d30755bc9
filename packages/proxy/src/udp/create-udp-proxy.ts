import type { Clock } from '@chaos/core'
import { checkOptions, MAX_TIMER_MS, option, optionsSchema, systemClock } from '@chaos/core/authoring'
import { parseAddress } from '../sockets/address.js'
import { UdpProxyEngine } from './udp-proxy-engine.js'
import type { UdpProxy } from './udp-proxy.js'

/** Where a UDP proxy listens and sends, and its limits. */
export interface UdpProxyOptions {
  /** The server: `host:port`. A name is looked up for each session, addresses of IPv4 first. */
  readonly upstream: string
  /** Where to listen: `host:port`. Default `127.0.0.1:0`, a free port of the loopback interface. */
  readonly listen?: string | undefined
  /** The name of the proxy, for messages. Default: `upstream`. */
  readonly name?: string | undefined
  /** Whether it listens at once. Default `true`. */
  readonly enabled?: boolean | undefined
  /**
   * The time without a datagram after which a session is closed, in ms. Default 120,000: RFC 4787 asks no less of routers that
   * translate addresses. A session that holds datagrams is not closed.
   */
  readonly idleMs?: number | undefined
  /** The most sessions at a time, each with a socket. Datagrams of further clients are dropped. Default 1,000. */
  readonly maxSessions?: number | undefined
  /** The most datagrams that the proxy holds back, of all sessions. Further ones are dropped. Default 10,000. */
  readonly maxHeldDatagrams?: number | undefined
  /** The most bytes that the proxy holds back, of all sessions. Default 16,777,216 (16 MiB). */
  readonly maxHeldBytes?: number | undefined
  /** The source of time for `idleMs`. Default: the real clock. Faults have the clock of their injection. */
  readonly clock?: Clock | undefined
}

const schema = optionsSchema({
  upstream: option.text('The server: host:port.', 300),
  listen: option.optional(option.text('Where to listen: host:port.', 300), '127.0.0.1:0'),
  name: option.optional(option.text('The name of the proxy, for messages.', 100)),
  enabled: option.optional(option.flag('Whether it listens at once.'), true),
  idleMs: option.optional(
    option.number('The time without a datagram after which a session is closed.', 1, MAX_TIMER_MS, 'a number of ms'),
    120_000,
  ),
  maxSessions: option.optional(option.count('The most sessions at a time.', 1, 65_535), 1_000),
  maxHeldDatagrams: option.optional(option.count('The most datagrams held.', 1, 1_000_000), 10_000),
  maxHeldBytes: option.optional(option.count('The most bytes held.', 65_536, 1_073_741_824), 16_777_216),
  clock: option.optional(
    option.live<Clock>((value) => 'now' in value && 'after' in value, 'a clock', 'The source of time.'),
  ),
})

/**
 * Makes a UDP proxy, which faults on datagrams break. It listens when this resolves, unless `enabled` is `false`.
 *
 * Each client address and port is a session with a socket of its own to the server, so that answers find their client.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option, `CHAOS_LISTEN_FAILED` if the address is taken or does not exist.
 */
export async function createUdpProxy(options: UdpProxyOptions): Promise<UdpProxy> {
  const {
    upstream,
    listen,
    name,
    enabled,
    clock = systemClock,
    ...limits
  } = checkOptions(schema, options, 'createUdpProxy')
  const proxy = new UdpProxyEngine({
    ...limits,
    name: name ?? upstream,
    listen: parseAddress(listen, 'listen'),
    upstream: parseAddress(upstream, 'upstream', 1),
    clock,
  })
  if (enabled) await proxy.enable()
  return proxy
}
