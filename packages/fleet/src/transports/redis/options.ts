import { ChaosError } from '@chaos/core'
import { checkOptions, option, optionsSchema } from '@chaos/core/authoring'
import type { ConnectionOptions } from 'node:tls'
import { fleetName } from '../fleet-name.js'

/** How a fleet reaches Redis: by a URL, or by its parts. The connection is always one of its own. */
export interface RedisTransportOptions {
  /** The name of the fleet: letters, digits, `.`, `_` and `-`, at most 64. */
  readonly fleet: string
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url?: string | undefined
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** Default 6379. */
  readonly port?: number | undefined
  /** The path of a Unix socket, instead of host and port. */
  readonly path?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** The number of the database. Default 0. */
  readonly db?: number | undefined
  /** Connects by TLS, with options of `tls.connect`. */
  readonly tls?: true | ConnectionOptions | undefined
  /** The longest time that one call may take, connecting included, in ms: 100 to 60,000. Default 2,000. */
  readonly timeoutMs?: number | undefined
  /** How long an instance that no longer reads is listed, in ms: 1,000 to 60,000. Default 15,000. */
  readonly instanceTtlMs?: number | undefined
}

/** Where a connection goes, and how. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly path: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  readonly tls: ConnectionOptions | undefined
}

/** Checked options, with their defaults. */
export interface CheckedRedisOptions {
  readonly fleet: string
  readonly address: RedisAddress
  readonly timeoutMs: number
  readonly instanceTtlMs: number
}

const OF = 'the Redis transport'
const schema = optionsSchema({
  fleet: fleetName,
  url: option.optional(option.text('The URL of Redis.', 4_096)),
  host: option.optional(option.text('The host of Redis.', 255)),
  port: option.optional(option.count('The port of Redis.', 1, 65_535)),
  path: option.optional(option.text('The path of the Unix socket of Redis.', 1_024)),
  username: option.optional(option.text('The user of Redis.', 1_024)),
  db: option.optional(option.count('The number of the database.', 0, 65_535)),
  timeoutMs: option.optional(option.number('The longest time of one call.', 100, 60_000, 'a number of ms'), 2_000),
  instanceTtlMs: option.optional(
    option.number('How long an instance that no longer reads is listed.', 1_000, 60_000, 'a number of ms'),
    15_000,
  ),
})

/**
 * Checks options of a connection. No message shows a password.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function checkRedisOptions(given: RedisTransportOptions): CheckedRedisOptions {
  const { password, tls, ...rest } = given
  const { fleet, url, timeoutMs, instanceTtlMs, ...parts } = checkOptions(schema, rest, OF)
  if (password !== undefined && (typeof password !== 'string' || password === ''))
    throw invalid('Expected `password` to be a non-empty string.')
  if (tls !== undefined && tls !== true && Object(tls) !== tls)
    throw invalid('Expected `tls` to be true, or options of `tls.connect`.')
  const ofUrl: UrlParts = url === undefined ? {} : partsOf(url)
  return {
    fleet,
    timeoutMs,
    instanceTtlMs,
    address: {
      host: parts.host ?? ofUrl.host ?? '127.0.0.1',
      port: parts.port ?? ofUrl.port ?? 6_379,
      path: parts.path,
      username: parts.username ?? ofUrl.username,
      password: password ?? ofUrl.password,
      db: parts.db ?? ofUrl.db ?? 0,
      tls: tls === true || (tls === undefined && ofUrl.isSecure === true) ? {} : tls,
    },
  }
}

interface UrlParts {
  readonly host?: string
  readonly port?: number
  readonly username?: string
  readonly password?: string
  readonly db?: number
  readonly isSecure?: boolean
}

function partsOf(text: string): UrlParts {
  const url = urlOf(text)
  const db = /^\/?(\d{0,5})$/.exec(url?.pathname ?? '!')?.[1]
  if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '' || db === undefined)
    throw invalid('Expected `url` to be like redis://host:6379/0 or rediss://host:6379.')
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    isSecure: url.protocol === 'rediss:',
    ...(url.port !== '' && { port: Number(url.port) }),
    ...(url.username !== '' && { username: decoded(url.username) }),
    ...(url.password !== '' && { password: decoded(url.password) }),
    ...(db !== '' && { db: Number(db) }),
  }
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('Expected the user and the password in `url` to be percent-encoded.')
  }
}

const invalid = (message: string): ChaosError => new ChaosError('CHAOS_INVALID_OPTION', `${OF}: ${message}`)

/** Returns where a connection goes, for messages. */
export function shownAddress({ host, port, path }: RedisAddress): string {
  return path ?? (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
}
