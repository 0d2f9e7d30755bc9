import type { Clock } from '@chaos/core'
import { printable, redacted } from '@chaos/core/authoring'
import { toJson } from './json.js'

/** What somebody changed through an endpoint, or tried to change. It holds no credentials. */
export interface AuditEntry {
  /** When the request was answered, in ms since the epoch. */
  readonly at: number
  /** The operation of the OpenAPI document: `inject`, `injectAll`, `renew`, `stop`, `stopAll`. */
  readonly operation: string
  /** How the sender proved that it may ask: `the same user`, `the token`, `session 3`. Absent if it did not. */
  readonly by?: string | undefined
  /** What the sender calls itself, in the header `chaos-actor`. Anybody can claim anything there. */
  readonly actor?: string | undefined
  /** The address and port of the sender; absent on a Unix socket, which only the same user can open. */
  readonly peer?: string | undefined
  /** The body of the request, without credentials: target, fault, options, lease. One that is too large is cut. */
  readonly request?: Readonly<Record<string, unknown>> | undefined
  /** The ids of the injections that were made, renewed or ended; of a refused change, the id in the path. */
  readonly ids?: readonly string[] | undefined
  /** The HTTP status of the answer. */
  readonly status: number
  /** The code of the error, if the change was refused or failed. */
  readonly code?: string | undefined
  /** The status or, once it has ended, the outcome of the injection. */
  readonly outcome?: string | undefined
  /** Whether an earlier answer was given again for the same `Idempotency-Key`, so that nothing changed. */
  readonly isRepeated?: boolean | undefined
  /** The number of earlier requests without proof that are not listed, because too many came. */
  readonly unlisted?: number | undefined
}

/** The audit log of one endpoint. */
export interface AuditLog {
  /** Adds an entry with the current time. Its texts are bounded, and credentials are left out. */
  record(entry: Omit<AuditEntry, 'at' | 'unlisted'>): void
  /** The kept entries, oldest first. */
  entries(): readonly AuditEntry[]
}

/** The most entries of requests whose sender may ask. */
const MAX_ENTRIES = 1_000
/** The most entries of other requests. They are kept apart, so that a flood of them pushes nothing out. */
const MAX_UNPROVEN = 100
/** The most entries per second of other requests. */
const MAX_UNPROVEN_PER_SECOND = 10
/** The largest request that is kept whole, in characters of JSON. */
const MAX_REQUEST = 8_192
/** The start of a larger one, in characters. */
const MAX_CUT = 1_000
/** The most ids of one entry. */
const MAX_IDS = 100

/**
 * Creates an audit log.
 *
 * @param onAudit Called with each entry. An error that it throws is reported as an uncaught exception.
 */
export function auditLog(clock: Clock, onAudit: (entry: AuditEntry) => void = () => undefined): AuditLog {
  const proven: AuditEntry[] = []
  const unproven: AuditEntry[] = []
  let second = Number.NEGATIVE_INFINITY
  let inSecond = 0
  let unlisted = 0

  /** Whether another request without proof is listed in this second. */
  function isListed(at: number): boolean {
    if (Math.abs(at - second) >= 1_000) {
      second = at
      inSecond = 0
    }
    inSecond += 1
    return inSecond <= MAX_UNPROVEN_PER_SECOND
  }

  return {
    record({ by, actor, request, ids, ...given }) {
      const at = clock.now()
      if (by === undefined && !isListed(at)) {
        unlisted += 1
        return
      }
      const entry: AuditEntry = Object.freeze({
        at,
        ...defined({
          by: by === undefined ? undefined : printable(by),
          actor: actor === undefined ? undefined : (redacted(printable(actor)) as string),
          request: request === undefined ? undefined : kept(request),
          ids: ids?.slice(0, MAX_IDS).map((id) => redacted(printable(id, { max: MAX_ID })) as string),
          unlisted: by === undefined && unlisted > 0 ? unlisted : undefined,
          ...given,
        }),
      } as AuditEntry)
      const ring = by === undefined ? unproven : proven
      if (by === undefined) unlisted = 0
      ring.push(entry)
      if (ring.length > (by === undefined ? MAX_UNPROVEN : MAX_ENTRIES)) ring.shift()
      try {
        onAudit(entry)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    },
    entries: () => [...proven, ...unproven].sort((a, b) => a.at - b.at),
  }
}

/** The longest id in an entry, in characters. */
const MAX_ID = 320

/** The capability to hold injections. Whoever knows it can use it. */
const CAPABILITY = 'connection'

function kept(request: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const shown = redacted(CAPABILITY in request ? { ...request, [CAPABILITY]: '[redacted]' } : request) as typeof request
  const text = toJson(shown)
  return text.length <= MAX_REQUEST ? shown : { cut: printable(text, { max: MAX_CUT }), characters: text.length }
}

function defined<T extends object>(entry: T): T {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as T
}
