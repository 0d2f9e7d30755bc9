import { hasPrograms } from '@chaos/test-servers'
import { describe, expect, it } from 'vitest'
import { expectRun } from './sabotage/expect-run.js'
import { HEALTHY } from './sabotage/list.js'

const isThere = hasPrograms('prometheus', 'prometheus-alertmanager')

// `npm run soak -- sabotage` runs all six experiments against the real programs.
describe.runIf(isThere)(
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

it('has all experiments against the real programs in its list', () => {
  expect(HEALTHY.filter(({ name }) => name.startsWith('real-')).map(({ experiment }) => experiment)).toEqual(
    HEALTHY.filter(({ name }) => name.startsWith('plain-')).map(({ experiment }) => experiment),
  )
})
