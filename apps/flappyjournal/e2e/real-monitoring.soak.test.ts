import { hasPrograms } from '@chaos/test-servers'
import { describe, it } from 'vitest'
import { expectRun } from './sabotage/expect-run.js'

/** The quick form has no time for these. */
const isQuick = process.env['CHAOS_SOAK'] === 'quick'
const isThere = hasPrograms('prometheus', 'prometheus-alertmanager')

// The soak of sabotages runs all six experiments against the real programs.
describe.runIf(isThere && !isQuick)(
  'a real Prometheus and Alertmanager (skipped without them: Debian packages prometheus and prometheus-alertmanager)',
  () => {
    it.each(['real-worker', 'real-adapter-one-in-five'])(
      '%s: the same verdict as with the evaluator of the app',
      (name) => expectRun(name),
    )
    it.each(['real-silence', 'real-inhibition', 'real-dead-receiver'])('%s is an alert that failed', (name) =>
      expectRun(name),
    )
  },
)
