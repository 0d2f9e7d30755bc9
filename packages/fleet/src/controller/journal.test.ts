import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { manualClock } from '@chaos/core/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { refusal } from '../../test/fixtures.js'
import { fleetJournal, journalFile, verifyJournal } from './journal.js'

const clock = manualClock(1_000)

function linesOf(count: number): { readonly lines: readonly string[]; readonly head: string } {
  const lines: string[] = []
  const journal = fleetJournal((line) => void lines.push(line), clock)
  for (let index = 0; index < count; index += 1)
    journal.add('run-opened', { run: `r-${index}`, nested: { b: 1, a: [index] } })
  return { lines, head: journal.head }
}

it('verifies 10,000 entries, and names the last', () => {
  const { lines, head } = linesOf(10_000)
  expect(verifyJournal(lines.join(''))).toEqual({ isWhole: true, entries: 10_000, head })
  expect(verifyJournal('')).toMatchObject({ isWhole: true, entries: 0 })
})

it('finds any line that was removed, moved, doubled or taken from another journal', () => {
  const { lines } = linesOf(20)
  fc.assert(
    fc.property(fc.nat(19), fc.nat(19), (at, to) => {
      const without = lines.filter((_line, index) => index !== at)
      // Without its last line a journal is whole; only its head tells.
      if (at < 19) expect(verifyJournal(without.join(''))).toMatchObject({ isWhole: false, line: at + 1 })
      expect(verifyJournal([...lines.slice(0, to), lines[at], ...lines.slice(to)].join('')).isWhole).toBe(false)
    }),
  )
})

it('finds a change of any character', () => {
  const text = linesOf(5).lines.join('')
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom('0', 'x', ' ', '"', '\n'), (at, character) => {
      fc.pre(text[at] !== character)
      expect(verifyJournal(`${text.slice(0, at)}${character}${text.slice(at + 1)}`).isWhole).toBe(false)
    }),
  )
})

it('tells a shortened journal by its head', () => {
  const { lines, head } = linesOf(5)
  const verdict = verifyJournal(lines.slice(0, 4).join(''))
  expect(verdict).toMatchObject({ isWhole: true, entries: 4 })
  expect(verdict).not.toMatchObject({ head })
})

it('continues the chain of its file, which only its owner can read', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'fleet-plan-')), 'journal.jsonl')
  journalFile(path, clock).add('run-opened', { run: 'a' })
  const again = journalFile(path, clock)
  expect(again.add('run-ended', { run: 'a' })).toMatchObject({ sequence: 2 })
  expect(verifyJournal(readFileSync(path, 'utf8'))).toEqual({ isWhole: true, entries: 2, head: again.head })
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('does not continue a broken chain', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'fleet-plan-')), 'journal.jsonl')
  journalFile(path, clock).add('run-opened', { run: 'a' })
  const whole = readFileSync(path, 'utf8')
  writeFileSync(path, whole.replace('run-opened', 'run-closed'))
  expect(() => journalFile(path, clock)).toThrow(refusal('CHAOS_FLEET_JOURNAL_BROKEN', 'Line 1 was changed'))
  writeFileSync(path, whole)
  appendFileSync(path, '{"half')
  expect(() => journalFile(path, clock)).toThrow(refusal('CHAOS_FLEET_JOURNAL_BROKEN', 'Line 2 is not complete'))
  expect(() => journalFile(join(path, 'x'), clock)).toThrow(refusal('CHAOS_FLEET_JOURNAL_BROKEN', 'cannot be opened'))
})

it('adds nothing to a file that somebody else has written to, so that the chain stays whole', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'fleet-plan-')), 'journal.jsonl')
  const [one, other] = [journalFile(path, clock), journalFile(path, clock)]
  one.add('run-planned', { run: 'a' })
  for (let n = 0; n < 2; n += 1)
    expect(() => other.add('run-planned', { run: 'b' })).toThrow(
      refusal('CHAOS_FLEET_JOURNAL_BROKEN', 'Give each controller a file of its own'),
    )
  const { hash: head } = one.add('run-ended', { run: 'a' })
  expect(verifyJournal(readFileSync(path, 'utf8'))).toEqual({ isWhole: true, entries: 2, head })
})

it.skipIf(process.platform === 'win32')('reads no pipe and no device, which have no end', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'fleet-plan-')), 'pipe')
  execFileSync('mkfifo', [path])
  for (const endless of [path, '/dev/zero'])
    expect(() => journalFile(endless, clock)).toThrow(refusal('CHAOS_FLEET_JOURNAL_BROKEN', 'it is not a file'))
})
