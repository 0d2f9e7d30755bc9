import { ChaosError, type InjectionState } from '@chaos/core'
import { injectionLine } from '../view/lines.js'
import type { CommonFlags } from '../arguments/command-options.js'
import type { Terminal } from '../view/terminal.js'
import { withClient } from './command.js'

/** Ends injections by id, or all injections of the process. */
export function stop(
  ids: readonly string[],
  flags: CommonFlags & { readonly all?: boolean },
  io: Terminal,
): Promise<void> {
  if ((ids.length === 0) !== (flags.all === true)) {
    throw new ChaosError('CHAOS_INVALID_OPTION', 'Pass either the ids of the injections to stop, or `--all`.')
  }
  return withClient(flags, io, async (client) => {
    const stopped: InjectionState[] = []
    const failures: unknown[] = []
    if (ids.length === 0) stopped.push(...(await client.stopAll()).stopped)
    // All are stopped in parallel, so one that fails or is slow does not keep the others in force.
    else {
      for (const end of await Promise.allSettled(ids.map((id) => client.stop(id)))) {
        if (end.status === 'fulfilled') stopped.push(end.value)
        else failures.push(end.reason)
      }
    }
    if (stopped.length === 0 && failures.length > 0) throw failures[0]
    if (flags.json === true) io.json(stopped)
    else if (stopped.length === 0) io.out('Nothing was in force.')
    else for (const state of stopped) io.out(injectionLine(state, Date.now()))
    if (failures.length > 0) throw failures[0]
  })
}
