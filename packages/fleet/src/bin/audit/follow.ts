import type { AuditEntry, ControllerTransport } from '../../transports/transport.js'
import { everySecond } from '../process/every-second.js'
import type { Terminal } from '../process/terminal.js'
import { lastEntries } from './entries.js'

/** The most new entries that are read at a time. */
const MAX_NEW = 10_000

/**
 * Goes on with the new entries of an audit log, until the user interrupts.
 *
 * @param isKnown Whether an entry is among those that were printed, or before them.
 */
export async function follow(
  transport: Pick<ControllerTransport, 'audit'>,
  isKnown: (entry: AuditEntry) => boolean,
  print: (entry: AuditEntry) => void,
  io: Pick<Terminal, 'err' | 'signal'>,
): Promise<void> {
  let isBefore = isKnown
  await everySecond(io, async () => {
    const { entries, isComplete } = await lastEntries(transport, isBefore, MAX_NEW)
    if (!isComplete) io.err(`warning: more than ${MAX_NEW} entries are new; only the last ones are shown`)
    for (const entry of entries) print(entry)
    const last = entries.at(-1)
    if (last !== undefined) isBefore = ({ id }) => id === last.id
  })
}
