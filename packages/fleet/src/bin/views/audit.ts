import type { AuditEntry } from '../../transports/transport.js'
import type { JournalCheck } from '../audit/check-journal.js'
import { timeOf } from './span.js'

/** The most details of an entry that are shown, and the longest of them, in characters. */
const MAX_DETAILS = 20
const MAX_DETAIL = 200

/** An entry of the audit log, as one line. */
export function entryLine({ at, what, by, details }: AuditEntry): string {
  const said = Object.entries(details)
    // It proves something to a program, and says nothing to people.
    .filter(([name]) => name !== 'signature')
    .slice(0, MAX_DETAILS)
    .map(([name, value]) => `${name}=${value.length > MAX_DETAIL ? `${value.slice(0, MAX_DETAIL)}…` : value}`)
  return `${timeOf(at)}  ${what.padEnd(9)}  ${by}  ${said.join(' ')}`.trimEnd()
}

/** What a journal comes to. */
export function journalLines(
  path: string,
  { isWhole, entries, heads, provenTo, otherRuns }: JournalCheck,
): readonly string[] {
  if (!isWhole) return []
  const compared =
    heads === undefined
      ? ['not compared with the audit log, so its end could have been cut off: name the fleet with --on']
      : heads === 0
        ? ['the audit log has noted no head of it, so its end could have been cut off']
        : [`the audit log has noted ${heads} heads of it, the last at entry ${provenTo}`]
  return [
    `${path}: the chain of ${entries} entries is whole`,
    ...compared,
    ...(otherRuns === 0
      ? []
      : [`the audit log has ${otherRuns} more runs of the same people: they are in another journal, or were cut off`]),
  ]
}
