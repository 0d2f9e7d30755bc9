import type { ExperimentResult } from '../verdict/result.js'
import { escapedLines, lines, markup, textOfMarkup } from './escape.js'
import { toText } from './text.js'

/**
 * Renders results as JUnit XML with one test case per experiment. `inconclusive` and `gate-unmet` are errors. Every
 * other verdict except `pass` is a failure.
 */
export function toJUnit(results: readonly ExperimentResult[]): string {
  const failures = results.filter((result) => kindOf(result) === 'failure').length
  const errors = results.filter((result) => kindOf(result) === 'error').length
  const seconds = results.reduce((sum, { evidence }) => sum + secondsOf(evidence), 0)
  const cases = results.map((result) => {
    const { title, evidence, verdict } = result
    const kind = kindOf(result)
    const text = escapedLines(toText(result))
    const body =
      kind === undefined
        ? undefined
        : markup`<${kind} type="${verdict.name}" message="${verdict.cause}">${text}</${kind}>`
    return markup`    <testcase classname="chaos" name="${title}" time="${secondsOf(evidence).toFixed(3)}">${body}<system-out>${text}</system-out></testcase>`
  })
  const totals = markup`tests="${results.length}" failures="${failures}" errors="${errors}" time="${seconds.toFixed(3)}"`
  return textOfMarkup(markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${totals}>
  <testsuite name="chaos experiments" ${totals}>
${lines(cases)}
  </testsuite>
</testsuites>
`)
}

function kindOf({ verdict }: ExperimentResult): 'failure' | 'error' | undefined {
  if (verdict.name === 'pass') return undefined
  return verdict.name === 'inconclusive' || verdict.name === 'gate-unmet' ? 'error' : 'failure'
}

function secondsOf({ startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number }): number {
  return Math.max(0, endedAt - startedAt) / 1_000
}
