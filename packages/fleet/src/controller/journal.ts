import { createHash } from 'node:crypto'
import { appendFileSync, closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { ChaosError, type Clock } from '@chaos/core'
import { messageOf, printable } from '@chaos/core/authoring'
import { canonicalJson } from '../plan/canonical.js'

/** What a controller has done, as one line of its journal. */
export interface FleetJournalEntry {
  /** The number of the entry, from 1. */
  readonly sequence: number
  /** In ms since the epoch, by the controller's clock. */
  readonly at: number
  /** `run-opened`, `run-ended`, `instance` and so on. */
  readonly what: string
  readonly details: Readonly<Record<string, unknown>>
  /** The hash of the entry before; of the first one: 64 zeros. */
  readonly previous: string
  /** The SHA-256 of the canonical JSON of all other fields, in hex. */
  readonly hash: string
}

/** A journal whose entries are chained by their hashes. */
export interface FleetJournal {
  /** Adds an entry. */
  add(what: string, details: Readonly<Record<string, unknown>>): FleetJournalEntry
  /** The hash of the last entry. Kept elsewhere, it shows later that none was cut off. */
  readonly head: string
}

/** The result of {@link verifyJournal}. */
export type JournalVerdict =
  | { readonly isWhole: true; readonly entries: number; readonly head: string }
  | { readonly isWhole: false; readonly line: number; readonly problem: string }

const BEGIN = '0'.repeat(64)
/** The longest line, in characters. It holds a plan of 10,000 instances. */
const MAX_LINE = 4_194_304
/** The largest file that is opened again, in bytes. */
const MAX_FILE = 268_435_456

/**
 * Makes a journal.
 *
 * @param write Gets each entry as a line of JSON, with its line feed, before `add` returns.
 * @param after The last entry of the journal that it continues. Default: a new journal.
 */
export function fleetJournal(
  write: (line: string) => void,
  clock: Clock,
  after: { readonly entries: number; readonly head: string } = { entries: 0, head: BEGIN },
): FleetJournal {
  let { entries: sequence, head } = after
  return {
    get head() {
      return head
    },
    add(what, details) {
      const body = { sequence: sequence + 1, at: clock.now(), what, details, previous: head }
      const entry = { ...body, hash: hashOf(body) }
      write(`${canonicalJson(entry)}\n`)
      // A line that could not be written is not part of the chain.
      sequence = entry.sequence
      head = entry.hash
      return entry
    },
  }
}

/**
 * Opens the journal in a file, or begins one with mode 0600. Entries are appended; nothing is ever rewritten. One controller
 * writes to a file at a time: an entry is refused where somebody else has written meanwhile.
 *
 * @throws ChaosError `CHAOS_FLEET_JOURNAL_BROKEN` if the file cannot be read or written, is larger than 256 MiB, or its chain
 *   is broken.
 */
export function journalFile(path: string, clock: Clock): FleetJournal {
  const text = contentsOf(path)
  const verdict = verifyJournal(text)
  if (!verdict.isWhole) throw broken(path, `Line ${verdict.line} ${verdict.problem}.`)
  let sizeBytes = Buffer.byteLength(text)
  return fleetJournal(
    (line) => {
      try {
        // Two chains in one file would look like a file that somebody has changed.
        if (statSync(path).size !== sizeBytes)
          throw new Error('somebody else has written to it since it was opened. Give each controller a file of its own')
        appendFileSync(path, line, { mode: 0o600 })
        sizeBytes += Buffer.byteLength(line)
      } catch (error) {
        throw broken(path, `It cannot be written: ${messageOf(error)}.`, error)
      }
    },
    clock,
    verdict,
  )
}

/** The text of a file, which is made if there is none. */
function contentsOf(path: string): string {
  try {
    const { O_RDWR, O_CREAT, O_APPEND, O_NONBLOCK } = constants
    const file = openSync(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK, 0o600)
    try {
      const stats = fstatSync(file)
      const { size } = stats
      // A pipe or a device has no end that could be read to.
      if (!stats.isFile()) throw new Error('it is not a file')
      if (size > MAX_FILE) throw new Error(`it is larger than ${MAX_FILE} bytes, so another file has to be begun`)
      return readFileSync(file, 'utf8')
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw broken(path, `It cannot be opened: ${messageOf(error)}.`, error)
  }
}

/**
 * Checks the chain of a journal: each line is an entry whose hash is that of its contents, and which names the hash of the
 * line before.
 *
 * A chain cannot show by itself that its end was cut off. Compare `head` with the one in the engine's audit log for that.
 *
 * @param text The lines of the journal.
 */
export function verifyJournal(text: string): JournalVerdict {
  let head = BEGIN
  let entries = 0
  for (let from = 0; from < text.length;) {
    const end = text.indexOf('\n', from)
    const line = entries + 1
    if (end === -1) return { isWhole: false, line, problem: 'is not complete' }
    const entry = entryIn(text.slice(from, end))
    if (entry === undefined) return { isWhole: false, line, problem: 'is not an entry' }
    const { hash, ...body } = entry
    if (hash !== hashOf(body))
      return { isWhole: false, line, problem: 'was changed: its hash is not that of its contents' }
    if (entry.previous !== head || entry.sequence !== line)
      return { isWhole: false, line, problem: 'does not follow the line before: one was removed, added or moved' }
    head = hash
    entries = line
    from = end + 1
  }
  return { isWhole: true, entries, head }
}

function entryIn(line: string): FleetJournalEntry | undefined {
  if (line.length > MAX_LINE) return undefined
  try {
    const entry: unknown = JSON.parse(line)
    // One form alone is an entry, so two readers cannot read two things.
    return isEntry(entry) && canonicalJson(entry) === line ? entry : undefined
  } catch {
    return undefined
  }
}

function isEntry(value: unknown): value is FleetJournalEntry {
  if (typeof value !== 'object' || value === null) return false
  const { sequence, at, what, details, previous, hash } = value as Partial<Record<string, unknown>>
  return (
    typeof sequence === 'number' &&
    typeof at === 'number' &&
    typeof what === 'string' &&
    typeof details === 'object' &&
    typeof previous === 'string' &&
    typeof hash === 'string'
  )
}

const hashOf = (body: Omit<FleetJournalEntry, 'hash'>): string =>
  createHash('sha256').update(canonicalJson(body)).digest('hex')

function broken(path: string, why: string, cause?: unknown): ChaosError {
  return new ChaosError(
    'CHAOS_FLEET_JOURNAL_BROKEN',
    `The journal ${printable(path)} is broken. ${why}`,
    cause === undefined ? {} : { cause },
  )
}
