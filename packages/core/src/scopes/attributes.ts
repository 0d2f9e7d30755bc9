import { createHash } from 'node:crypto'

/** Who the sender of a request is, as far as a predicate asks for it. It never leaves the process. */
export interface ScopeAttributes {
  readonly user?: string
  /** On whose behalf the user works. */
  readonly tenant?: string
  /** Stands for the session. {@link sessionMark} makes it, so that no scope holds what a session is known by. */
  readonly session?: string
}

/** The longest attribute or route that is kept, in UTF-16 code units. A longer one counts as absent. */
const MAX_ATTRIBUTE = 1_024

const NAMES = ['user', 'tenant', 'session'] as const

/**
 * Stands for a session: the same text for the same session, also in another process. It is a hash, because a session id lets
 * whoever reads it act as the user. `undefined`: it is no text of 1 to 1,024 characters.
 */
export function sessionMark(session: unknown): string | undefined {
  const bounded = boundedAttribute(session)
  return bounded === undefined ? undefined : markOf(bounded)
}

function markOf(session: string): string {
  return createHash('sha256').update(session).digest('base64url').slice(0, 22)
}

/** The attributes of a scope: its own, and of the others those of the scope around it. `undefined`: it has none. */
export function attributesWithin(
  parent: ScopeAttributes | undefined,
  own: ScopeAttributes | undefined,
): ScopeAttributes | undefined {
  if (own === undefined) return parent
  const made: { -readonly [Name in keyof ScopeAttributes]: ScopeAttributes[Name] } = {}
  for (const name of NAMES) {
    const value = boundedAttribute(own[name]) ?? parent?.[name]
    if (value !== undefined) made[name] = value
  }
  return Object.keys(made).length === 0 ? undefined : Object.freeze(made)
}

/** A value that a scope may keep, else `undefined`. */
export function boundedAttribute(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ATTRIBUTE ? value : undefined
}
