import { messageOf, sessionMark } from '@chaos/core/authoring'
import type { ScopeAttributes } from '@chaos/core'
import type http from 'node:http'
import { types } from 'node:util'

/** A request as {@link IdentifyRequest} gets it, before its body has been read. */
export type IncomingRequest = Pick<http.IncomingMessage, 'method' | 'url' | 'headers'>

/** Who has sent a request. Each value has at most 1,024 characters; a longer one is ignored. */
export interface RequestSender {
  readonly user?: string | undefined
  readonly tenant?: string | undefined
  /** What the session is known by, such as the value of its cookie. Scopes keep a hash of it. */
  readonly session?: string | undefined
}

/**
 * Tells who has sent a request, at once. If it throws or returns a promise, that is a warning, and the request then has no sender.
 */
export type IdentifyRequest = (request: IncomingRequest) => RequestSender | undefined

/** Where requests name their sender. */
export interface SenderNames {
  /** The header that names the user, in any case: `x-user-id`. */
  readonly user?: string | undefined
  /** The header that names the tenant. */
  readonly tenant?: string | undefined
  /** The cookie that names the session. */
  readonly session?: string | undefined
}

/** Makes a function that reads the sender where requests name it. */
export function identifyBy({ user, tenant, session }: SenderNames): IdentifyRequest {
  const headerOf = (headers: http.IncomingHttpHeaders, name: string | undefined): string | undefined => {
    const value = name === undefined ? undefined : headers[name.toLowerCase()]
    return typeof value === 'string' ? value : undefined
  }
  return ({ headers }) => ({
    user: headerOf(headers, user),
    tenant: headerOf(headers, tenant),
    session: session === undefined ? undefined : cookieIn(headers.cookie, session),
  })
}

/** Returns the value of a cookie, as it was sent. The parser of Node.js bounds the header. */
function cookieIn(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at !== -1 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}

/** Returns the attributes of a request's scope. Never throws: chaos must not fail a request that it only looks at. */
export function attributesOf(identify: IdentifyRequest): (request: IncomingRequest) => ScopeAttributes | undefined {
  let hasWarned = false
  return (request) => {
    try {
      const sender = identify(request)
      if (isPromise(sender)) throw new TypeError('It returned a promise, but must tell the sender at once')
      const { user, tenant, session } = sender ?? {}
      const mark = sessionMark(session)
      return {
        ...(user !== undefined && { user }),
        ...(tenant !== undefined && { tenant }),
        ...(mark !== undefined && { session: mark }),
      }
    } catch (error) {
      if (!hasWarned) warn(error)
      hasWarned = true
      return undefined
    }
  }
}

/** Whether an answer is a promise. A rejection of it is handled: it would end the application. */
function isPromise(answer: unknown): boolean {
  if (!types.isPromise(answer)) return false
  void Promise.resolve(answer).catch(() => undefined)
  return true
}

function warn(error: unknown): void {
  process.emitWarning(
    `The function \`identify\` of \`httpScopes\` threw: ${messageOf(error)}. Faults for a user, a tenant or sessions pass such requests.`,
    { type: 'ChaosWarning' },
  )
}
