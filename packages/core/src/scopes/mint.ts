import { randomBytes } from 'node:crypto'
import { systemClock } from '../basics/clock.js'
import { ChaosError } from '../basics/errors.js'
import { checkOptions } from '../fault/check-options.js'
import { option } from '../fault/option.js'
import { optionsSchema } from '../fault/options-schema.js'
import { memberText, mintedValue, scopeKey } from './member.js'

/** The longest time for which a scope is minted, in ms: one day. */
const MAX_LIFETIME_MS = 86_400_000
const DEFAULT_LIFETIME_MS = 600_000

/** The declarations of {@link MintOptions}. */
export const mintOptions = {
  name: option.optional(
    option.matching(
      /^[A-Za-z0-9][\w-]{0,39}$/,
      '1 to 40 letters, digits or -_, the first a letter or digit',
      'What the id begins with. Default: scope.',
    ),
  ),
  id: option.optional(
    option.matching(
      /^[\w-]{1,64}$/,
      '1 to 64 letters, digits or -_',
      'The whole id, such as that of a run of a fleet. Default: the name and a random part.',
    ),
  ),
  lifetimeMs: option.optional(
    option.number('How long the scope can be entered, in ms.', 1, MAX_LIFETIME_MS, 'a number of ms'),
    DEFAULT_LIFETIME_MS,
  ),
}

const schema = optionsSchema(mintOptions)

/** Options of {@link mintScope}. */
export interface MintOptions {
  /** What the id of the scope begins with: at most 40 letters, digits, `-` or `_`. Default `scope`. */
  readonly name?: string
  /** The whole id, in place of a name and a random part: at most 64 letters, digits, `-` or `_`. */
  readonly id?: string
  /** How long requests may enter the scope, in ms, at most 86,400,000. Default 600,000. */
  readonly lifetimeMs?: number
}

/** A scope that requests enter by a header. */
export interface MintedScope {
  /** What a fault names as its `scope`. */
  readonly id: string
  /** The value of the header `baggage`: `chaos=<id>.<expiresAt>.<mac>`. */
  readonly header: string
  /** When the scope ends, in ms since the epoch. The header is ignored from then on. */
  readonly expiresAt: number
}

/**
 * Mints a scope: requests that are sent with its header are done in it, where `httpScopes` of `@chaos/adapter` is in force.
 *
 * The header counts in this process and in those that have the same `CHAOS_SCOPE_KEY`. Without that key, it counts in this
 * process alone, until the process ends.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option.
 */
export function mintScope(given: MintOptions = {}): MintedScope {
  return mintScopeWith(scopeKey(), given)
}

/**
 * Mints a scope with a given key, such as that of another process.
 *
 * @param now The time in ms since the epoch.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option.
 */
export function mintScopeWith(key: string, given: MintOptions, now = systemClock.now()): MintedScope {
  if (given.name !== undefined && given.id !== undefined)
    throw new ChaosError('CHAOS_INVALID_OPTION', 'Pass either the `name` or the `id` of a scope to mint, not both.')
  const {
    name = 'scope',
    id = `${name}-${randomBytes(8).toString('hex')}`,
    lifetimeMs,
  } = checkOptions(schema, given, 'mintScope')
  const expiresAt = Math.floor(now + lifetimeMs)
  return { id, header: memberText(mintedValue(id, expiresAt), key), expiresAt }
}
