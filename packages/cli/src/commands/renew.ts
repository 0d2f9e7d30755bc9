import { ChaosError } from '@chaos/core'
import type { CommonFlags } from '../arguments/command-options.js'
import { injectionLine } from '../view/lines.js'
import type { Terminal } from '../view/terminal.js'
import { orInterrupted, withClient } from './command.js'

/** Renews the lease of an injection: the fault then ends that long from now. */
export function renew(id: string, flags: CommonFlags & { readonly for?: number }, io: Terminal): Promise<void> {
  const { for: leaseMs } = flags
  if (leaseMs === undefined)
    throw new ChaosError('CHAOS_INVALID_OPTION', 'Pass how long the fault stays in force from now: `--for 30s`.')
  return withClient(flags, io, async (client) => {
    const state = await orInterrupted(io.signal, client.renew(id, leaseMs))
    if (flags.json === true) io.json(state)
    else io.out(injectionLine(state, Date.now()))
  })
}
