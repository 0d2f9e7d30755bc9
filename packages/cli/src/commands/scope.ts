import { ChaosError, type MintedScope, type MintOptions } from '@chaos/core'
import { mintScopeWith } from '@chaos/core/authoring'
import type { CommonFlags } from '../arguments/command-options.js'
import { scopeLines } from '../view/lines.js'
import type { Terminal } from '../view/terminal.js'
import { orInterrupted, withClient } from './command.js'

/** The options of `chaos scope`. */
export interface ScopeCommandFlags extends CommonFlags {
  /** How long requests can enter the scope, in ms. */
  readonly for?: number
  readonly id?: string
}

/**
 * Mints a scope, and prints the header with which requests enter it. The process mints it. With `CHAOS_SCOPE_KEY` and no option
 * that selects a process, the command mints it itself.
 */
export async function scope(name: string | undefined, flags: ScopeCommandFlags, io: Terminal): Promise<void> {
  const { for: lifetimeMs, id } = flags
  const given = Object.entries({ name, id, lifetimeMs }).filter(([, value]) => value !== undefined)
  const minted = await mint(Object.fromEntries(given), flags, io)
  if (flags.json === true) {
    io.json(minted)
    return
  }
  for (const line of scopeLines(minted, flags.url === undefined ? '"$APP_URL"' : new URL('/', flags.url).href))
    io.out(line)
}

async function mint(options: MintOptions, flags: ScopeCommandFlags, io: Terminal): Promise<MintedScope> {
  const key = io.env['CHAOS_SCOPE_KEY'] ?? ''
  if (key === '' || SELECTING.some((flag) => flags[flag] !== undefined))
    return withClient(flags, io, (client) => orInterrupted(io.signal, client.mintScope(options)))
  if (flags.on !== undefined)
    throw new ChaosError('CHAOS_INVALID_OPTION', '`chaos scope` does not take `--on`: a scope is minted with one key.')
  return mintScopeWith(key, options)
}

/** The options that select a process. */
const SELECTING = ['url', 'socket', 'pid', 'name'] as const
