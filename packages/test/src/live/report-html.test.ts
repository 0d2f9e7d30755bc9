import { expect, it } from 'vitest'
import type { SearchResult } from '../search/search.js'
import { liveExplorationOf, liveReport } from './live-exploration.js'
import { reportHtml } from './report-html.js'

const EVIL = '<script>alert(1)</script>\u001b[2J'
const point = { scope: '', target: 'db', operation: EVIL, call: 1 }
const hit = { point, kind: 'adapter/refuse-calls' }
const result: SearchResult = {
  ...{
    depth: 1,
    sets: 2,
    run: 2,
    pruned: {},
    left: 0,
    inferred: 0,
    runs: 5,
    ms: 1_234,
    notRepeated: [],
    notReached: [],
  },
  ...{
    unstable: [],
    drifted: [],
    spoiledBy: undefined,
    stoppedBy: undefined,
    brokenAfter: undefined,
    late: [],
    failure: undefined,
  },
  points: [{ point, kinds: ['adapter/refuse-calls', 'adapter/hang-calls'] }],
  findings: [{ hits: [hit], reason: EVIL, twins: [] }],
  audit: { made: 0, agreed: 0, off: [] },
  fates: [
    { hit, fate: 'broke' },
    { hit: { point, kind: 'adapter/hang-calls' }, fate: 'survived' },
  ],
}
const kinds = [{ target: 'db', name: 'adapter/refuse-calls', fault: 'adapter/refuse-calls', options: { afterMs: 5 } }]
const exploration = liveExplorationOf('load', result, kinds, [EVIL])

it('shows points and kinds on one page, and nothing of what the app says as code', () => {
  const html = reportHtml(exploration)
  expect(html).toContain('<td class="broke" title="broke">✗')
  expect(html).toContain('<td class="survived" title="survived">✓')
  expect(html).not.toContain('<script>')
  expect(html).not.toContain('\u001b')
  expect(html).not.toMatch(/(src|href)=/)
})

it('prints a finding as a command for a shell', () => {
  const [finding] = exploration.findings
  expect(finding?.commands).toMatch(
    /^chaos inject db refuse-calls --after-ms 5 --only '<script>alert\(1\)<\/script>.*' --limit 1$/,
  )
  expect(liveReport(exploration)).not.toContain('\u001b')
})
