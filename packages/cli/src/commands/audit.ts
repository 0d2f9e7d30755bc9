import type { CommonFlags } from '../arguments/command-options.js'
import { auditLine } from '../view/lines.js'
import type { Terminal } from '../view/terminal.js'
import { orInterrupted, withClient } from './command.js'

/** Prints who changed what through the endpoint of the process, and which changes were refused. */
export function audit(flags: CommonFlags, io: Terminal): Promise<void> {
  return withClient(flags, io, async (client) => {
    const entries = await orInterrupted(io.signal, client.audit())
    if (flags.json === true) io.json(entries)
    else if (entries.length === 0) io.out('Nobody has changed anything.')
    else for (const entry of entries) io.out(auditLine(entry))
  })
}
