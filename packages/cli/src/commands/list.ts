import { flagsOf } from '../arguments/flags.js'
import { columns, injectionLine } from '../view/lines.js'
import type { Terminal } from '../view/terminal.js'
import { orBrokenOff, withClient, type CommonFlags } from './command.js'

export function targets(flags: CommonFlags, io: Terminal): Promise<void> {
  return withClient(flags, io, async (client) => {
    const found = await orBrokenOff(io.signal, client.targets())
    if (flags.json === true) io.json(found)
    else if (found.length === 0) io.out('This process has no targets.')
    else
      for (const line of columns([['target', 'faults'], ...found.map(({ name, faults }) => [name, faults.join(', ')])]))
        io.out(line)
  })
}

/** @param taken The flags of `chaos inject` itself. */
export function faults(flags: CommonFlags, taken: ReadonlySet<string>, io: Terminal): Promise<void> {
  return withClient(flags, io, async (client) => {
    const found = await orBrokenOff(io.signal, client.faults())
    if (flags.json === true) {
      io.json(found)
      return
    }
    for (const info of found) {
      io.out(`${info.name} (${info.kind})`)
      io.out(`  ${info.summary}`)
      for (const { flag, value, description, isRequired } of flagsOf(info, taken))
        io.out(`    ${flag} ${value}${isRequired ? ' (required)' : ''}  ${description}`)
    }
  })
}

export function status(flags: CommonFlags & { readonly all?: boolean }, io: Terminal): Promise<void> {
  return withClient(flags, io, async (client) => {
    const found = (await orBrokenOff(io.signal, client.injections())).filter(
      (state) => flags.all === true || state.status !== 'ended',
    )
    if (flags.json === true) io.json(found)
    else if (found.length === 0) io.out('Nothing is in force.')
    else for (const state of found) io.out(injectionLine(state, Date.now()))
  })
}
