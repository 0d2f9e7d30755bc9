import { verifyJournal } from '../../controller/journal.js'
import type { AuditEntry } from '../../transports/transport.js'

/** What a journal comes to, compared with the audit log of the engine. */
export interface JournalCheck {
  readonly isWhole: boolean
  /** What is wrong with it. Empty: nothing. */
  readonly problem: string
  readonly entries: number
  /** How many heads of this journal the log has noted; `undefined`: it was not compared. */
  readonly heads: number | undefined
  /** The number of the last entry whose hash the log has noted. What follows could have been cut off unseen. */
  readonly provenTo: number
  /** Runs in the log of those who have written this journal, which it does not have: of another journal, or cut off. */
  readonly otherRuns: number
}

/**
 * Checks the chain of a journal, and then whether the heads that the audit log has noted are in it: a chain whose end was cut
 * off is whole in itself.
 *
 * @param log The entries of the audit log. `undefined`: there is nothing to compare with.
 */
export function checkJournal(text: string, log: readonly AuditEntry[] | undefined): JournalCheck {
  const verdict = verifyJournal(text)
  if (!verdict.isWhole)
    return {
      isWhole: false,
      problem: `Line ${verdict.line} ${verdict.problem}.`,
      entries: 0,
      heads: undefined,
      provenTo: 0,
      otherRuns: 0,
    }
  const whole = { isWhole: true, problem: '', entries: verdict.entries, provenTo: 0, otherRuns: 0 }
  if (log === undefined) return { ...whole, heads: undefined }

  const { lineOf, runs, writers } = contentsOf(text)
  const noted = log.flatMap(({ what, by, details: { run, journal } }) =>
    what === 'run-ended' && run !== undefined && journal !== undefined ? [{ run, journal, by }] : [],
  )
  const own = noted.filter(({ journal }) => lineOf.has(journal))
  const provenTo = own.reduce((last, { journal }) => Math.max(last, lineOf.get(journal) ?? 0), 0)
  const heads = own.length
  const lost = noted.find(({ run, journal }) => runs.has(run) && !lineOf.has(journal))
  if (lost !== undefined)
    return {
      ...whole,
      isWhole: false,
      problem: `It has the run ${lost.run}, but not the entry with which the run ended: its end was cut off, or it was written anew.`,
      heads,
      provenTo,
    }
  const otherRuns = new Set(noted.filter(({ run, by }) => writers.has(by) && !runs.has(run)).map(({ run }) => run)).size
  return { ...whole, heads, provenTo, otherRuns }
}

/** The hashes of a whole journal with their lines, the runs that it has planned, and who has planned them. */
function contentsOf(text: string) {
  const lineOf = new Map<string, number>()
  const runs = new Set<unknown>()
  const writers = new Set<unknown>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    // It is a whole journal, so each line is an entry.
    const { hash, sequence, what, details } = JSON.parse(line) as {
      readonly hash: string
      readonly sequence: number
      readonly what: string
      readonly details: { readonly run?: unknown; readonly plan?: { readonly by?: unknown } }
    }
    lineOf.set(hash, sequence)
    if (what !== 'run-planned') continue
    runs.add(details.run)
    writers.add(details.plan?.by)
  }
  return { lineOf, runs, writers }
}
