import type { IncomingMessage } from 'node:http'

/** The host that a request names, in lower case. HTTP/2 has a pseudo-header in place of `Host`. */
export const hostOf = ({ headers }: IncomingMessage): string =>
  (headers.host ?? headers[':authority']?.toString() ?? '').toLowerCase()

/** Whether the Origin of a request is this server. */
export function isOwnOrigin(req: IncomingMessage): boolean {
  const origin = req.headers.origin?.toLowerCase()
  const host = hostOf(req)
  return origin === `http://${host}` || origin === `https://${host}`
}

/**
 * Whether a request comes from a page of this server, or from no page (an address that somebody typed, a tool). Cookies
 * are shared by the ports of a host, so a page of another port would count as the same site.
 */
export function isFromOwnPage(req: IncomingMessage): boolean {
  const site = req.headers['sec-fetch-site'] ?? 'none'
  return (site === 'same-origin' || site === 'none') && (req.headers.origin === undefined || isOwnOrigin(req))
}

/** Whether a browser goes to another page with this request: a link, an address that somebody typed. */
export const isNavigation = ({ method, headers }: IncomingMessage): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  headers['sec-fetch-mode'] === 'navigate' &&
  headers['sec-fetch-dest'] === 'document'

/** Whether the sender asks for HTML by name. */
export const wantsHtml = ({ headers }: IncomingMessage): boolean =>
  (headers.accept ?? '').toLowerCase().includes('text/html')
