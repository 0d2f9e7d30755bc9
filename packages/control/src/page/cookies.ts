import type { IncomingMessage } from 'node:http'
import { hostOf } from './sender.js'

/** The most cookies of one name that are looked at: a browser sends one for each path. */
const MAX_COOKIES = 8

/** The name of the session cookie. It contains the port, because browsers share the cookies of a host among its ports. */
function nameOf(req: IncomingMessage): string {
  const port = /:(\d{1,5})$/.exec(hostOf(req))?.[1] ?? 'default'
  return `chaos-session-${port}`
}

/** The keys of sessions that a request sends, most specific path first. */
export function sessionKeysOf(req: IncomingMessage): readonly string[] {
  const begin = `${nameOf(req)}=`
  return (req.headers.cookie ?? '')
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie.startsWith(begin))
    .slice(0, MAX_COOKIES)
    .map((cookie) => cookie.slice(begin.length))
}

/**
 * The `Set-Cookie` that gives a browser its session, or takes it away.
 *
 * @param basePath The path below which the app finds the endpoint.
 * @param key The key of the session; `undefined` takes the cookie away.
 * @param maxAgeMs How long the session lasts, in ms.
 */
export function sessionCookie(
  req: IncomingMessage,
  basePath: string,
  key: string | undefined,
  maxAgeMs: number,
): string {
  const parts = [
    `${nameOf(req)}=${key ?? ''}`,
    `Path=${mountOf(req, basePath)}`,
    `Max-Age=${key === undefined ? 0 : Math.floor(maxAgeMs / 1_000)}`,
    'HttpOnly',
    'SameSite=Strict',
  ]
  return [...parts, ...(cameByTls(req) ? ['Secure'] : [])].join('; ')
}

/** The path of the endpoint as the browser knows it: a framework may have cut the begin of the URL, and kept the whole beside it. */
function mountOf(req: IncomingMessage, basePath: string): string {
  const { url = '', originalUrl } = req as IncomingMessage & { readonly originalUrl?: unknown }
  if (typeof originalUrl !== 'string' || !originalUrl.endsWith(url)) return basePath
  const cut = originalUrl.slice(0, originalUrl.length - url.length)
  return /^(\/[\w.~-]+)*$/.test(cut) ? `${cut}${basePath}` : basePath
}

/** By TLS to this server, or to a proxy in front of it, as the browser says in its Origin. */
const cameByTls = ({ socket, headers }: IncomingMessage): boolean =>
  Reflect.get(socket, 'encrypted') === true || (headers.origin ?? '').toLowerCase().startsWith('https://')
