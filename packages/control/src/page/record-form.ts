import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuditLog } from '../api/audit-log.js'
import { senderOf } from '../api/changes.js'

/** A request for the page, as far as the audit log tells of it. */
export interface Asked {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly path: string
  /** How the sender has proved that it may ask. */
  by?: string
  /** The injections that a form has ended. */
  ids?: readonly string[]
}

/** The path of the form that ends one injection. */
export const STOP_ONE = /^\/injections\/([^/]+)\/stop$/

const OPERATIONS: Readonly<Partial<Record<string, string>>> = {
  '/sign-in': 'signIn',
  '/sign-out': 'signOut',
  '/stop-all': 'stopAll',
}

/** Writes an answered request into the audit log, if it has changed something or was a form that was refused. */
export function recordForm(audit: AuditLog, { req, res, path, by, ids }: Asked): void {
  // Whoever only looks changes nothing.
  if (req.method !== 'POST' && by === undefined) return
  const operation = STOP_ONE.test(path) ? 'stop' : OPERATIONS[path]
  if (operation === undefined) return
  audit.record({
    operation,
    ...senderOf(req),
    ...(by === undefined ? {} : { by }),
    ...(ids === undefined ? {} : { ids }),
    status: res.statusCode,
  })
}
