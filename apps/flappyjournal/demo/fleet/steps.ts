import { table } from '../table.js'

/** What a step of the demo has shown. */
export interface Step {
  readonly claim: string
  readonly held: boolean
  /** What was measured, in words. */
  readonly measured: readonly string[]
}

/** Whether every step was reached, and held. */
export function allHeld(steps: readonly Step[], expected: number): boolean {
  return steps.length === expected && steps.every(({ held }) => held)
}

/** The summary of a demo: one row for each step. */
export function summaryOf(steps: readonly Step[]): string {
  return table([
    ['what was claimed', 'held', 'measured'],
    ...steps.map(({ claim, held, measured }) => [claim, held ? 'yes' : 'NO', measured.join('\n')]),
  ])
}
