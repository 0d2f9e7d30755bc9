import type { Command } from 'commander'
import { ChaosError, type PortableInjectOptions, type ScopePredicate } from '@chaos/core'
import { namesOf, parseNumber } from './values.js'

/** The options that choose on whose behalf a call must be made. */
export interface ScopeFlags {
  readonly scope?: string | undefined
  readonly route?: readonly string[] | undefined
  readonly user?: readonly string[] | undefined
  readonly tenant?: readonly string[] | undefined
  readonly sessions?: number | undefined
  readonly sessionsSeed?: string | undefined
}

/** Adds the options that choose on whose behalf a call must be made. */
export function addScopeOptions(command: Command): Command {
  return command
    .option('--scope <path>', 'scope that a call must be made in: path or id; with ` > *`, scopes within it as well')
    .option('--route <route...>', 'requests on whose behalf a call must be made: `GET /items/*`', namesOf)
    .option('--user <name...>', 'users whose requests those are: names or globs', namesOf)
    .option('--tenant <name...>', 'tenants whose requests those are: names or globs', namesOf)
    .option('--sessions <share>', 'share of the sessions whose requests those are, from 0 to 1', parseNumber)
    .option('--sessions-seed <text>', 'chooses which sessions; the same seed, the same sessions')
}

/**
 * The scope that the options describe: a path or id, or a predicate on requests.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if they describe both, or a seed without sessions.
 */
export function scopeOf({ scope, ...given }: ScopeFlags): PortableInjectOptions['scope'] {
  const { sessionsSeed: seed, ...conditions } = given
  const named = Object.entries(conditions).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]))
  if (scope !== undefined && (named.length > 0 || seed !== undefined))
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `\`--scope\` names a scope, but ${named.length > 0 ? named.join(', ') : '--sessions-seed'} chooses requests. Pass the one or the other.`,
    )
  if (seed !== undefined && conditions.sessions === undefined)
    throw new ChaosError('CHAOS_INVALID_OPTION', '`--sessions-seed` chooses among sessions. Add `--sessions`.')
  if (named.length === 0) return scope
  return Object.fromEntries(
    Object.entries({ ...conditions, seed }).filter(([, value]) => value !== undefined),
  ) satisfies ScopePredicate
}
