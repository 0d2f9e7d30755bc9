import { readFileSync } from 'node:fs'
import { EXIT_CODES, type VerdictName } from '@chaos/experiment'
import { describe, expect, it } from 'vitest'
import { HEALTHY, SABOTAGES } from './list.js'
import { falseMarks } from './marks.js'
import { PAGE, page } from './page.js'
import { complaints } from './play.js'
import { judged, recordingOf, type Recording } from './recording.js'

const recorded = (name: string): Recording => {
  const recording = recordingOf(name)
  if (recording === undefined)
    throw new Error(`Expected ${name} to be recorded. Play it: npm run soak -- sabotage --only ${name}`)
  return recording
}

describe('a sabotaged run', () => {
  it.each(SABOTAGES.map((run) => [run.title, run] as const))('%s: is never passed', (_title, run) => {
    const recording = recorded(run.name)
    const verdict = judged(recording)
    expect(complaints(run, verdict)).toEqual([])
    expect(verdict.outcome).not.toBe('pass')
    if (recording.evidence !== undefined) expect(recording.exitCode).toBe(EXIT_CODES[verdict.outcome as VerdictName])
    expect(recording.exitCode).not.toBe(0)
  })
})

describe('a run of a correct app', () => {
  it.each(HEALTHY.map((run) => [run.title, run] as const))('%s: is not accused', (_title, run) => {
    const recording = recorded(run.name)
    const verdict = judged(recording)
    expect(complaints(run, verdict)).toEqual([])
    if (recording.evidence !== undefined) expect(recording.exitCode).toBe(EXIT_CODES[verdict.outcome as VerdictName])
    if (run.hasTrueMarks === true && recording.evidence !== undefined)
      expect(falseMarks(verdict, recording.seenAt)).toEqual([])
  })
})

describe('the list', () => {
  it('names each run once', () => {
    const names = [...SABOTAGES, ...HEALTHY].map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  it('is on the page as it is recorded (npm run soak -- sabotage --page)', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(page())
  })
})

it('has all experiments against the real programs in its list', () => {
  expect(HEALTHY.filter(({ name }) => name.startsWith('real-')).map(({ experiment }) => experiment)).toEqual(
    HEALTHY.filter(({ name }) => name.startsWith('plain-')).map(({ experiment }) => experiment),
  )
})
