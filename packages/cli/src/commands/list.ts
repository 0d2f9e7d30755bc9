import { faultOptions } from '../arguments/fault-options.js'
import { faultsOf } from '../arguments/find-fault.js'
import { ANY_OPTION, takesAnyOption } from '../arguments/undeclared-options.js'
import { columns, injectionLine } from '../view/lines.js'
import type { CommonFlags } from '../arguments/command-options.js'
import type { Terminal } from '../view/terminal.js'
import { orInterrupted, withClient, withController } from './command.js'

export function targets(flags: CommonFlags, io: Terminal): Promise<void> {
  return withController(flags, io, async (controller) => {
    const found = await orInterrupted(io.signal, controller.targets())
    if (flags.json === true) io.json(found)
    else if (found.length === 0) io.out('There are no targets.')
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
  return withController(flags, io, async (controller) => {
    const asking = target === undefined ? controller.faults() : faultsOf(controller, target)
    const found = await orInterrupted(io.signal, asking)
    if (flags.json === true) {
      io.json(found)
      return
    }
    for (const info of found) {
      io.out(`${info.name} (${info.kind})`)
      io.out(`  ${info.summary}`)
      for (const { shown, isRequired } of faultOptions(info, taken))
        io.out(`    ${shown.flags}${isRequired ? ' (required)' : ''}  ${shown.description}`)
      if (takesAnyOption(info)) io.out(`    ${ANY_OPTION}`)
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
