import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { ChaosError, type Clock } from '@chaos/core'
import { printable } from '@chaos/core/authoring'
import type { AccessControl } from '../api/api.js'
import { TOKEN_SUBPROTOCOL } from '../api/event-stream.js'
import { rateLimit } from './request-rate.js'

/** Options of {@link accessControl}. */
export interface AccessOptions {
  readonly token: string
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly loopbackOnly: boolean
  readonly maxRequestsPerSecond: number
  readonly clock: Clock
}

/** The longest Host or Origin in a message, in characters. */
const MAX_HOST = 200
const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]']
/**
 * Headers that proxies, load balancers, tunnels and content delivery networks add to forwarded requests. Sources: RFC
 * 7239 and 9110, nginx, Apache, HAProxy, Envoy, Cloudflare, Fastly, Akamai, Azure, Google, AWS, Fly.io, Heroku. Names
 * that begin with one of `FORWARDED_BEGINNINGS` count too.
 */
const FORWARDED: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-original-host',
  'x-original-url',
  'x-originating-ip',
  'x-proxyuser-ip',
  'true-client-ip',
  'client-ip',
  'fastly-client-ip',
  'fastly-ssl',
  'fly-client-ip',
  'fly-forwarded-port',
  'x-appengine-user-ip',
  'x-amz-cf-id',
  'x-arr-log-id',
  'x-arr-ssl',
  'x-azure-clientip',
  'x-azure-socketip',
  'x-azure-fdid',
  'x-varnish',
  'x-haproxy-server-state',
  'cdn-loop',
  'proxy-connection',
  'front-end-https',
  'x-url-scheme',
  'x-proxy-id',
  'x-bluecoat-via',
])
const FORWARDED_BEGINNINGS: readonly string[] = [
  'x-forwarded',
  'x-envoy-',
  'cf-',
  'x-akamai-',
  'akamai-',
  'x-vercel-',
  'ngrok-',
  'tailscale-',
]

/**
 * Creates the checks of a mounted endpoint: the sender's address, the Host (against DNS rebinding), the Origin (against
 * CSRF), the token and the rate. The rate limits neither stopping nor its preflight, so the kill switch always works.
 */
export function accessControl({
  token,
  allowedHosts,
  allowedOrigins,
  loopbackOnly,
  maxRequestsPerSecond,
  clock,
}: AccessOptions): AccessControl {
  const digest = digestOf(token)
  const hosts = new Set([...LOOPBACK_HOSTS, ...allowedHosts.map((host) => host.toLowerCase())])
  const origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()))
  // Two budgets: failed logins must not exhaust the quota of authenticated clients.
  const withToken = rateLimit(maxRequestsPerSecond, clock)
  const withoutToken = rateLimit(maxRequestsPerSecond, clock)
  const tooMany = (): ChaosError =>
    new ChaosError('CHAOS_TOO_MANY_REQUESTS', `More than ${maxRequestsPerSecond} requests a second. Wait a moment.`)

  const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
    method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined

  function checkAddress(req: IncomingMessage): void {
    if (!loopbackOnly) return
    const { remoteAddress } = req.socket
    if (!isLoopback(remoteAddress)) {
      throw new ChaosError(
        'CHAOS_FORBIDDEN',
        `Requests from ${remoteAddress ?? 'an unknown address'} are rejected: only this machine is allowed. Set \`loopbackOnly: false\` to allow others.`,
      )
    }
    const forwarded = Object.keys(req.headers).find(
      (name) => FORWARDED.has(name) || FORWARDED_BEGINNINGS.some((beginning) => name.startsWith(beginning)),
    )
    if (forwarded !== undefined) {
      throw new ChaosError(
        'CHAOS_FORBIDDEN',
        `Requests through a proxy (header \`${forwarded}\`) are rejected: only this machine is allowed. Set \`loopbackOnly: false\` to allow them.`,
      )
    }
  }

  function checkHost({ headers }: IncomingMessage): string {
    const host = (headers.host ?? '').toLowerCase()
    if (!hosts.has(host) && !hosts.has(host.replace(/:\d+$/, ''))) {
      throw new ChaosError(
        'CHAOS_FORBIDDEN',
        `Host \`${printable(host, { max: MAX_HOST })}\` is not allowed. Add it to \`allowedHosts\` if it is yours.`,
      )
    }
    return host
  }

  /** Accepts requests from pages of this server and of the allowed origins. */
  function checkOrigin({ headers }: IncomingMessage, host: string): Readonly<Record<string, string>> {
    if (headers.origin === undefined) return {}
    const origin = headers.origin.toLowerCase()
    if (origins.has(origin)) {
      return {
        'access-control-allow-origin': headers.origin,
        'access-control-allow-methods': 'GET, POST, DELETE',
        'access-control-allow-headers': 'authorization, content-type',
        vary: 'origin',
      }
    }
    if (origin === `http://${host}` || origin === `https://${host}`) return {}
    throw new ChaosError(
      'CHAOS_FORBIDDEN',
      `Origin \`${printable(origin, { max: MAX_HOST })}\` is not allowed. Add it to \`allowedOrigins\` if it is yours.`,
    )
  }

  function checkToken(req: IncomingMessage): void {
    const given = tokenOf(req)
    if (given !== undefined && timingSafeEqual(digestOf(given), digest)) {
      if (req.method !== 'DELETE' && !withToken()) throw tooMany()
      return
    }
    if (!withoutToken()) throw tooMany()
    throw new ChaosError(
      'CHAOS_UNAUTHORIZED',
      `The token of the request is ${given === undefined ? 'missing' : 'wrong'}. Send the token of this endpoint as \`Authorization: Bearer …\`.`,
    )
  }

  return {
    isPreflight,
    admit(req) {
      checkAddress(req)
      const headers = checkOrigin(req, checkHost(req))
      if (!isPreflight(req)) checkToken(req)
      else if (req.headers['access-control-request-method'] !== 'DELETE' && !withoutToken()) throw tooMany()
      return headers
    },
  }
}

/** Hashes a text. Digests have equal lengths, so a comparison takes the same time for every guess. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function isLoopback(address = ''): boolean {
  return address === '::1' || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)
}

function tokenOf({ headers }: IncomingMessage): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined || headers.upgrade === undefined) return bearer
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
  const carrier = offered.find((name) => name.startsWith(TOKEN_SUBPROTOCOL))
  return carrier === undefined
    ? undefined
    : Buffer.from(carrier.slice(TOKEN_SUBPROTOCOL.length), 'base64url').toString('utf8')
}
