import { flagsOf } from '../flags.js'
import type { Io } from '../io.js'
import { columns, injectionLine } from '../view/lines.js'
import { json, withClient, type CommonFlags } from './command.js'

export function targets(flags: CommonFlags, io: Io): Promise<void> {
  return withClient(flags, io, async (client) => {
    const found = await client.targets()
    if (flags.json === true) io.out(json(found))
    else io.out(found.length === 0 ? 'This process has no targets.' : columns([['target', 'faults'], ...found.map(({ name, faults }) => [name, faults.join(', ')])]))
  })
}

/** @param taken The flags of `chaos inject` itself. */
export function faults(flags: CommonFlags, taken: ReadonlySet<string>, io: Io): Promise<void> {
  return withClient(flags, io, async (client) => {
    const found = await client.faults()
    if (flags.json === true) {
      io.out(json(found))
      return
    }
    for (const info of found) {
      io.out(`${info.name} (${info.kind})\n  ${info.summary}`)
      for (const { flag, value, description, isRequired } of flagsOf(info, taken)) io.out(`    ${flag} ${value}${isRequired ? ' (required)' : ''}  ${description}`)
    }
  })
}

export function status(flags: CommonFlags & { readonly all?: boolean }, io: Io): Promise<void> {
  return withClient(flags, io, async (client) => {
    const found = (await client.injections()).filter((state) => flags.all === true || state.status !== 'ended')
    if (flags.json === true) io.out(json(found))
    else io.out(found.length === 0 ? 'Nothing is in force.' : found.map((state) => injectionLine(state, Date.now())).join('\n'))
  })
}
