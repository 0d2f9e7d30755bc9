import { faultOptions } from '../arguments/fault-options.js'
import { faultsOf } from '../arguments/find-fault.js'
import { columns, injectionLine } from '../view/lines.js'
import type { CommonFlags } from '../arguments/command-options.js'
import type { Terminal } from '../view/terminal.js'
import { orInterrupted, withClient } from './command.js'

export function targets(flags: CommonFlags, io: Terminal): Promise<void> {
  return withClient(flags, io, async (client) => {
    const found = await orInterrupted(io.signal, client.targets())
    if (flags.json === true) io.json(found)
    else if (found.length === 0) io.out('This process has no targets.')
    else
      for (const line of columns([['target', 'faults'], ...found.map(({ name, faults }) => [name, faults.join(', ')])]))
        io.out(line)
  })
}

/**
 * Lists faults with their options.
 *
 * @param target Lists only the faults of this target.
 * @param taken The flags of `chaos inject` itself.
 */
export function faults(
  target: string | undefined,
  flags: CommonFlags,
  taken: ReadonlySet<string>,
  io: Terminal,
): Promise<void> {
  return withClient(flags, io, async (client) => {
    const found = await orInterrupted(io.signal, target === undefined ? client.faults() : faultsOf(client, target))
    if (flags.json === true) {
      io.json(found)
      return
    }
    for (const info of found) {
      io.out(`${info.name} (${info.kind})`)
      io.out(`  ${info.summary}`)
      for (const { shown, isRequired } of faultOptions(info, taken))
        io.out(`    ${shown.flags}${isRequired ? ' (required)' : ''}  ${shown.description}`)
    }
  })
}

export function status(flags: CommonFlags & { readonly all?: boolean }, io: Terminal): Promise<void> {
  return withClient(flags, io, async (client) => {
    const found = (await orInterrupted(io.signal, client.injections())).filter(
      (state) => flags.all === true || state.status !== 'ended',
    )
    if (flags.json === true) io.json(found)
    else if (found.length === 0) io.out('Nothing is in force.')
    else for (const state of found) io.out(injectionLine(state, Date.now()))
  })
}
