import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { ChaosError, type Clock } from '@chaos/core'
import { printable } from '@chaos/core/authoring'
import { TOKEN_SUBPROTOCOL } from '../api/event-stream.js'
import type { PageAccess } from '../page/page.js'
import { digestOf, isSame } from '../page/secrets.js'
import { nameOf, type Session, type Sessions } from '../page/sessions.js'
import { hostOf, isFromOwnPage, isOwnOrigin } from '../page/sender.js'
import { rateLimit } from './request-rate.js'

/** Options of {@link accessControl}. */
export interface AccessOptions {
  readonly token: string
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly loopbackOnly: boolean
  readonly maxRequestsPerSecond: number
  readonly clock: Clock
  /** The sessions of the page, which count as the token does. Absent without a page. */
  readonly sessions: Sessions | undefined
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
  sessions,
}: AccessOptions): PageAccess {
  const digest = digestOf(token)
  const hosts = new Set([...LOOPBACK_HOSTS, ...allowedHosts.map((host) => host.toLowerCase())])
  const origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()))
  // Budgets of their own: failed logins must exhaust neither the quota of authenticated clients nor that of preflights, which
  // browsers send without a token before a page of an allowed origin may ask.
  const withToken = rateLimit(maxRequestsPerSecond, clock)
  const withoutToken = rateLimit(maxRequestsPerSecond, clock)
  const preflights = rateLimit(maxRequestsPerSecond, clock)
  const visits = rateLimit(maxRequestsPerSecond, clock)
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

  function checkHost(req: IncomingMessage): string {
    const host = hostOf(req)
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
        'access-control-allow-headers': 'authorization, content-type, idempotency-key, last-event-id, chaos-actor',
        vary: 'origin',
      }
    }
    if (origin === `http://${host}` || origin === `https://${host}`) return {}
    throw new ChaosError(
      'CHAOS_FORBIDDEN',
      `Origin \`${printable(origin, { max: MAX_HOST })}\` is not allowed. Add it to \`allowedOrigins\` if it is yours.`,
    )
  }

  /** Counts a request of a client that has proved who it is. Stopping is not limited. */
  function count({ method }: IncomingMessage): void {
    if (method !== 'DELETE' && !withToken()) throw tooMany()
  }

  function checkToken(given: string | undefined): void {
    if (given !== undefined && timingSafeEqual(digestOf(given), digest)) return
    if (!withoutToken()) throw tooMany()
    throw new ChaosError(
      'CHAOS_UNAUTHORIZED',
      `The token of the request is ${given === undefined ? 'missing' : 'wrong'}. Send the token of this endpoint as \`Authorization: Bearer …\`.`,
    )
  }

  /** @returns How the sender has proved that it may ask. */
  function checkSenderProof(req: IncomingMessage): string {
    const given = tokenOf(req)
    const session = given === undefined ? sessions?.of(req) : undefined
    if (session === undefined) checkToken(given)
    else checkSession(req, session)
    count(req)
    // An event stream would outlive its session.
    if (req.headers.upgrade !== undefined || followsEvents(req)) session?.hold(req.socket)
    return session === undefined ? 'the token' : nameOf(session)
  }

  return {
    isPreflight,
    checkSender: (req) => {
      checkAddress(req)
      return checkOrigin(req, checkHost(req))
    },
    checkToken,
    visit() {
      if (!visits()) throw tooMany()
    },
    admit(req) {
      checkAddress(req)
      const headers = checkOrigin(req, checkHost(req))
      if (!isPreflight(req)) return { headers, by: checkSenderProof(req) }
      if (req.headers['access-control-request-method'] !== 'DELETE' && !preflights()) throw tooMany()
      return { headers, by: 'nothing yet' }
    },
  }
}

/** Whether a request asks for server-sent events. */
const followsEvents = ({ headers }: IncomingMessage): boolean => (headers.accept ?? '').includes('text/event-stream')

/**
 * Checks that a request with the cookie of a session comes from the page of that session. A browser adds the cookie to
 * requests of any page, so only what other pages cannot send counts.
 *
 * @throws ChaosError `CHAOS_FORBIDDEN` when another page sent it
 */
function checkSession(req: IncomingMessage, { csrf }: Session): void {
  if (!isFromOwnPage(req) || (req.headers.upgrade !== undefined && !isOwnOrigin(req)))
    throw new ChaosError('CHAOS_FORBIDDEN', 'A page of another origin sent this request with the cookie of a session.')
  if (req.method === 'GET' || req.method === 'HEAD') return
  const given = req.headers['x-chaos-csrf']
  if (typeof given === 'string' && isSame(given, csrf)) return
  throw new ChaosError(
    'CHAOS_FORBIDDEN',
    'A change by the cookie of a session needs its `x-chaos-csrf` header. Load the page again, or send the token.',
  )
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
