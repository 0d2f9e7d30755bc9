import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Cancel, Clock } from '@chaos/core'
import { sessionCookie, sessionKeysOf } from './cookies.js'
import { digestOf, secret } from './secrets.js'

/** How long a session lasts, in ms. Requests do not extend it. */
export const SESSION_MS = 12 * 3_600_000
/** The most sessions at a time. One more ends the session that was used longest ago. */
const MAX_SESSIONS = 32

/** What a form did, for the page that is shown next. */
export interface Outcome {
  readonly failed: boolean
  readonly text: string
  readonly details: readonly string[]
}

/** A browser that has signed in. */
export interface Session {
  /** Counts the sessions of the endpoint, from 1. */
  readonly number: number
  /** What a request that changes something must contain, so that pages of others cannot send it. */
  readonly csrf: string
  /** What the last form did, until a page has shown it. */
  outcome: Outcome | undefined
  /** Destroys a socket when the session ends. */
  hold(socket: Duplex): void
}

/** What the audit log calls a session: `session 3`. */
export const nameOf = ({ number }: Session): string => `session ${number}`

/** The sessions of one endpoint. They are in memory only: a restart of the app ends them. */
export interface Sessions {
  /** Begins a session, and ends the one that the browser had. @returns The `Set-Cookie` for its browser. */
  begin(req: IncomingMessage): string
  /** The session of a request. */
  of(req: IncomingMessage): Session | undefined
  /** Ends the session of a request. @returns The `Set-Cookie` that takes the cookie from its browser. */
  end(req: IncomingMessage): string
  /** Ends all sessions. */
  close(): void
}

/** A session, and what ends with it. */
interface Entry {
  readonly session: Session
  readonly sockets: Set<Duplex>
  readonly cancelExpiry: Cancel
}

/** Keeps the sessions of an endpoint, by a hash of their keys, so that the time of a look-up says nothing about a key. */
export function createSessions(basePath: string, clock: Clock): Sessions {
  /** Least recently used first. */
  const entries = new Map<string, Entry>()
  let count = 0

  const idOf = (key: string): string => digestOf(key).toString('base64')
  const find = (req: IncomingMessage): string | undefined =>
    sessionKeysOf(req)
      .map(idOf)
      .find((id) => entries.has(id))

  function end(id: string | undefined): void {
    const entry = id === undefined ? undefined : entries.get(id)
    if (id === undefined || entry === undefined) return
    entries.delete(id)
    entry.cancelExpiry()
    for (const socket of entry.sockets) socket.destroy()
  }

  return {
    begin(req) {
      end(find(req))
      const [oldest] = entries.keys()
      if (entries.size >= MAX_SESSIONS) end(oldest)
      const key = secret()
      const id = idOf(key)
      count += 1
      const sockets = new Set<Duplex>()
      const session: Session = {
        number: count,
        csrf: secret(),
        outcome: undefined,
        hold(socket) {
          // A connection may carry many requests.
          if (sockets.has(socket)) return
          sockets.add(socket)
          socket.once('close', () => sockets.delete(socket))
        },
      }
      entries.set(id, { session, sockets, cancelExpiry: clock.after(SESSION_MS, () => end(id), { ref: false }) })
      return sessionCookie(req, basePath, key, SESSION_MS)
    },
    of(req) {
      const id = find(req)
      const entry = id === undefined ? undefined : entries.get(id)
      if (id === undefined || entry === undefined) return undefined
      entries.delete(id)
      entries.set(id, entry)
      return entry.session
    },
    end(req) {
      end(find(req))
      return sessionCookie(req, basePath, undefined, 0)
    },
    close() {
      for (const id of [...entries.keys()]) end(id)
    },
  }
}
