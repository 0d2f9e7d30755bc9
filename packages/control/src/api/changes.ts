import type { IncomingMessage } from 'node:http'
import type { AuditEntry, AuditLog } from './audit-log.js'
import type { Reply } from './replies.js'
import { matchRoutes } from './routes.js'

/** A change that somebody asks for, as far as it is known. */
export interface Change {
  readonly operation: string
  /** The id in the path; empty if the path has none. */
  readonly id: string
  readonly sender: Pick<AuditEntry, 'actor' | 'peer'>
  /** How the sender proved that it may ask. */
  by?: string
  request?: Readonly<Record<string, unknown>>
}

/** The change that a request asks for; `undefined` if it asks for none. */
export function changeOf(req: IncomingMessage, path: string): Change | undefined {
  const { id, allowed } = matched(path) ?? { id: '', allowed: [] }
  const route = allowed.find(({ method }) => method === req.method)
  if (route === undefined || !(route.isAudited ?? route.method !== 'GET')) return undefined
  return { operation: route.operation, id, sender: senderOf(req) }
}

/** Writes a change, or one that was refused, into the audit log. */
export function conclude(
  audit: AuditLog,
  { operation, id, sender, by, request }: Change,
  { status, effect }: Reply,
  isRepeated: boolean,
): void {
  audit.record({
    operation,
    ...sender,
    ...(by === undefined ? {} : { by }),
    ...(request === undefined ? {} : { request }),
    ...(id === '' ? {} : { ids: [id] }),
    status,
    ...effect,
    ...(isRepeated ? { isRepeated } : {}),
  })
}

/** The routes of a path. One that is too long is refused later. */
function matched(path: string): ReturnType<typeof matchRoutes> {
  try {
    return matchRoutes(path)
  } catch {
    return undefined
  }
}

/** What is known of the sender of a request, whether or not it may ask. */
export function senderOf({ headers, socket }: IncomingMessage): Change['sender'] {
  const actor = headers['chaos-actor']
  const { remoteAddress, remotePort } = socket
  return {
    ...(typeof actor === 'string' && actor !== '' ? { actor: decoded(actor) } : {}),
    ...(remoteAddress === undefined ? {} : { peer: `${remoteAddress} port ${remotePort ?? 0}` }),
  }
}

/** The text of a header that may be percent-encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
