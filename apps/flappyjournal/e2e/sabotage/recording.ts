import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { judge, type Evidence, type Experiment, type Verdict } from '@chaos/experiment'
import { appFolder } from '../../src/config.js'
import type { Played } from './play.js'
import type { Outcome } from './sabotage.js'

/** What is kept of a run, so that its verdict can be made again without it. */
export interface Recording {
  readonly name: string
  readonly exitCode: number | null
  /** Of a run that has no evidence. */
  readonly outcome?: Played['outcome']
  readonly cause?: string
  readonly seenAt: Played['seenAt']
  readonly experiment?: Experiment
  readonly evidence?: Evidence
}

/** A recorded run, judged now. */
export interface Judged {
  readonly outcome: Outcome | 'error'
  readonly cause: string
  readonly marks: Verdict['marks']
  readonly problems: readonly string[]
}

const pathOf = (name: string): string => join(appFolder, 'e2e/recorded', `${name}.json.gz`)

/** Keeps a run. */
export function record({ name, exitCode, outcome, cause, seenAt, result }: Played): void {
  const recording: Recording =
    result === undefined
      ? { name, exitCode, outcome, cause, seenAt }
      : { name, exitCode, seenAt, experiment: result.experiment, evidence: result.evidence }
  writeFileSync(pathOf(name), gzipSync(JSON.stringify(recording, rounded), { level: 9 }))
}

/** The recording of a run; `undefined` if there is none. */
export function recordingOf(name: string): Recording | undefined {
  try {
    return JSON.parse(gunzipSync(readFileSync(pathOf(name))).toString('utf8')) as Recording
  } catch {
    return undefined
  }
}

/** Judges what was recorded. */
export function judged({ outcome = 'error', cause = '', experiment, evidence }: Recording): Judged {
  if (experiment === undefined || evidence === undefined) return { outcome, cause, marks: {}, problems: [] }
  const verdict = judge(experiment, evidence)
  return { outcome: verdict.name, cause: verdict.cause, marks: verdict.marks, problems: [] }
}

/** Times to a tenth of a millisecond, other values to six digits: nobody judges by more. */
function rounded(_key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isInteger(value)) return value
  return Math.abs(value) > 1e9 ? Math.round(value * 10) / 10 : Number(value.toPrecision(6))
}
