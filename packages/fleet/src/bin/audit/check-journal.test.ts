import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import { fleetJournal } from '../../controller/journal.js'
import type { AuditEntry } from '../../transports/transport.js'
import { checkJournal } from './check-journal.js'

/** A journal of runs, and what the audit log has noted of them. */
function recorded(...runs: readonly string[]) {
  let text = ''
  const journal = fleetJournal((line) => (text += line), manualClock())
  const log = runs.map((run, index): AuditEntry => {
    journal.add('run-planned', { run, plan: { by: 'ann' } })
    journal.add('run-ended', { run })
    return { id: String(index), at: 0, what: 'run-ended', by: 'ann', details: { run, journal: journal.head } }
  })
  return { text, lines: text.trimEnd().split('\n'), log }
}

it('proves a journal up to the last head that the log has noted', () => {
  const { text, log } = recorded('a', 'b')
  expect(checkJournal(text, log)).toMatchObject({ isWhole: true, entries: 4, heads: 2, provenTo: 4, otherRuns: 0 })
  expect(checkJournal(text, log.slice(0, 1))).toMatchObject({ isWhole: true, heads: 1, provenTo: 2 })
  expect(checkJournal(text, [])).toMatchObject({ isWhole: true, heads: 0, provenTo: 0 })
  expect(checkJournal(text, undefined)).toMatchObject({ isWhole: true, heads: undefined })
})

it('finds an end that was cut off within a run, and suspects one between two runs', () => {
  const { lines, log } = recorded('a', 'b')
  expect(checkJournal(`${lines.slice(0, 3).join('\n')}\n`, log)).toMatchObject({
    isWhole: false,
    problem: expect.stringContaining('the run b') as string,
  })
  expect(checkJournal(`${lines.slice(0, 2).join('\n')}\n`, log)).toMatchObject({
    isWhole: true,
    otherRuns: 1,
    provenTo: 2,
  })
})

it('finds a journal that was written anew, with a whole chain', () => {
  const { log } = recorded('a', 'b')
  const forged = recorded('b', 'a')
  expect(checkJournal(forged.text, log)).toMatchObject({ isWhole: false, heads: 0 })
})

it('ignores the runs of others', () => {
  const { text, log } = recorded('a')
  const other: AuditEntry = {
    id: '9',
    at: 0,
    what: 'run-ended',
    by: 'bob',
    details: { run: 'x', journal: 'f'.repeat(64) },
  }
  expect(checkJournal(text, [...log, other])).toMatchObject({ isWhole: true, otherRuns: 0, heads: 1 })
})
