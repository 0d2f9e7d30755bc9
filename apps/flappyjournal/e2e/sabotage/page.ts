import { join } from 'node:path'
import { appFolder } from '../../src/config.js'
import { HEALTHY, SABOTAGES } from './list.js'
import { judged, recordingOf } from './recording.js'
import type { Healthy, Sabotage } from './sabotage.js'

/** Where the page is. */
export const PAGE = join(appFolder, '../../docs/sabotage.md')

/** The page about sabotages, from what is recorded. */
export function page(): string {
  const blind = SABOTAGES.map(({ name }) => recordingOf(name)).filter(
    (recording) => recording !== undefined && judged(recording).outcome === 'pass',
  ).length
  return `# What sabotage comes to

A verdict is worth nothing if it can pass while it cannot see. So the sample app, its load, its monitoring, its clock and its machine are sabotaged one at a time, and its experiments are run for real: \`npm run soak -- sabotage\`.
Each line is such a run. \`npm run soak -- sabotage\` writes this page; the evidence that each run recorded is judged again by the ordinary tests.

${SABOTAGES.length} sabotages, ${blind === 0 ? 'no' : blind} false ${blind === 1 ? 'pass' : 'passes'}.

${tableOf(SABOTAGES)}

## Runs that must not be accused

A correct app, under circumstances that must not count against it: its clock is wrong, the machine is saturated, an earlier run was interrupted, or Prometheus and Alertmanager take the place of the app's own evaluator.

${tableOf(HEALTHY)}
`
}

function tableOf(runs: readonly (Sabotage | Healthy)[]): string {
  const rows = runs.map(({ name, title, experiment }) => {
    const recording = recordingOf(name)
    if (recording === undefined) return [name, title, experiment, 'not run', '', '']
    const { outcome, cause } = judged(recording)
    return [name, title, experiment, outcome, String(recording.exitCode ?? ''), cause]
  })
  return [
    ['name', 'sabotage', 'experiment', 'verdict', 'exit code', 'cause'],
    ['---', '---', '---', '---', '---', '---'],
    ...rows,
  ]
    .map((row) => `| ${row.map(cell).join(' | ')} |`)
    .join('\n')
}

/** A cell of one line, without the folders for temporary files that a run was played in. */
const cell = (text: string): string =>
  text
    .replace(/\/\S*\/flappy-[^\s/]+/g, '…')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replace(/\s+/g, ' ')
