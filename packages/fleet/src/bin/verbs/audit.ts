import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { ChaosError } from '@chaos/core'
import { messageOf, printable, systemClock } from '@chaos/core/authoring'
import { variable } from '../../controller/variables.js'
import type { AuditEntry, ControllerTransport } from '../../transports/transport.js'
import { checkJournal } from '../audit/check-journal.js'
import { lastEntries } from '../audit/entries.js'
import { follow } from '../audit/follow.js'
import { usage, type Arguments } from '../arguments/arguments.js'
import { fleetOptions } from '../arguments/common-options.js'
import { fleetOf, withTransport } from '../arguments/fleet.js'
import { EXIT } from '../process/exit-codes.js'
import type { Terminal } from '../process/terminal.js'
import type { Verb } from '../verb.js'
import { entryLine, journalLines } from '../views/audit.js'

/** The most entries that are shown: of a time, and without one. */
const MAX_ENTRIES = 10_000
const DEFAULT_ENTRIES = 100
/** The most entries of the log that a journal is compared with: about as many as it keeps. */
const MAX_COMPARED = 110_000
/** The largest journal, in bytes. A controller begins another file after it. */
const MAX_JOURNAL = 268_435_456

/** Shows who did what, and checks the journal of a controller. */
export const audit: Verb = {
  summary: 'prints the audit log of the fleet, or checks the journal of a controller against it',
  notes: [
    'Needs the credential of a controller or of an operator. The times are those of the engine.',
    `Without --since: the last ${DEFAULT_ENTRIES} entries. With it: at most ${MAX_ENTRIES}.`,
    'With --journal: checks the chain of hashes in the file, and then whether each head of it that the log has noted is in the file.',
    'A file whose end was cut off is a whole chain, so only the log can show that. Exit code 2: the journal is broken.',
  ],
  options: {
    ...fleetOptions,
    since: { value: '<time>', help: 'only the entries of the last 30m, 2h and so on' },
    follow: { help: 'go on with new entries, until Ctrl-C; with --json, one line of JSON each' },
    journal: { value: '<file>', help: 'check this journal of a controller instead of printing the log' },
  },
  async run(args, io) {
    const path = args.text('journal')
    if (path === undefined) return printLog(args, io)
    if (args.isOn('follow') || args.text('since') !== undefined)
      throw usage('`--journal` checks a whole file, so `--since` and `--follow` mean nothing with it.')
    return checkFile(path, args, io)
  },
}

async function printLog(args: Arguments, io: Terminal): Promise<number> {
  const sinceMs = args.time('since')
  const [isFollowing, isJson] = [args.isOn('follow'), args.isOn('json')]
  return withTransport(fleetOf(args), async (transport) => {
    const print = (entry: AuditEntry): void => {
      if (isJson) io.json(entry, { isOneLine: true })
      else io.out(entryLine(entry))
    }
    const from = sinceMs === undefined ? Number.NEGATIVE_INFINITY : systemClock.now() - sinceMs
    const max = sinceMs === undefined ? DEFAULT_ENTRIES : MAX_ENTRIES
    const { entries, isComplete } = await lastEntries(transport, ({ at }) => at < from, max)
    if (sinceMs !== undefined && !isComplete)
      io.err(`warning: only the last ${MAX_ENTRIES} entries of that time are shown`)
    if (isJson && !isFollowing) io.json(entries)
    else for (const entry of entries) print(entry)
    if (isFollowing) {
      const last = entries.at(-1)
      await follow(transport, ({ id, at }) => (last === undefined ? at < from : id === last.id), print, io)
    }
    return EXIT.ok
  })
}

async function checkFile(path: string, args: Arguments, io: Terminal): Promise<number> {
  const text = journalIn(path)
  const isNamed = args.text('on') !== undefined || variable('CHAOS_FLEET_URL') !== undefined
  const log = isNamed ? await withTransport(fleetOf(args), everything) : undefined
  const verdict = checkJournal(text, log)
  if (args.isOn('json')) io.json({ file: path, ...verdict })
  else for (const line of journalLines(path, verdict)) io.out(line)
  if (verdict.isWhole) return EXIT.ok
  throw new ChaosError('CHAOS_FLEET_JOURNAL_BROKEN', `The journal ${printable(path)} is broken. ${verdict.problem}`)
}

const everything = async (transport: ControllerTransport): Promise<readonly AuditEntry[]> =>
  (await lastEntries(transport, () => false, MAX_COMPARED)).entries

function journalIn(path: string): string {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = fstatSync(file)
      if (!stats.isFile()) throw new Error('it is not a file')
      if (stats.size > MAX_JOURNAL) throw new Error(`it is larger than ${MAX_JOURNAL} bytes`)
      return readFileSync(file, 'utf8')
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw usage(`The journal ${printable(path)} cannot be read: ${messageOf(error)}.`)
  }
}
