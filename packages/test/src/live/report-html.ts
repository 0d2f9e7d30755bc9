import { printable } from '@chaos/core/authoring'
import { hitText, pointText, type Hit } from '../search/model.js'
import type { Fate } from '../search/fates.js'
import { twinText } from '../search/finding.js'
import { fateTable } from './fate-table.js'
import { endOf, type LiveExploration, type LiveFinding } from './live-exploration.js'

/** The mark of each fate, so that it can be read without colours. */
const MARKS: Readonly<Record<Fate, string>> = {
  broke: '✗',
  'broke with others': '✗+',
  survived: '✓',
  'no effect': '○',
  'not reached': '–',
  'not run': '?',
}

const MEANINGS: Readonly<Record<Fate, string>> = {
  broke: 'an invariant did not hold under this fault alone',
  'broke with others': 'an invariant did not hold under this fault and others',
  survived: 'tried, and every invariant held',
  'no effect': 'the call was made, and the fault let it pass',
  'not reached': 'the call is made under other faults only, as a retry is',
  'not run': 'not tried',
}

const STYLE = `:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}.line,pre{font:13px/1.5 ui-monospace,monospace}
pre{padding:.75rem 1rem;background:#8881;border-radius:6px;overflow-x:auto}.scroll{overflow-x:auto}
table{border-collapse:collapse}th,td{padding:.3rem .6rem;border:1px solid #8884;text-align:left;font-weight:normal}
thead th{vertical-align:bottom;font-weight:600}tbody th{font:13px ui-monospace,monospace;white-space:nowrap}
td{text-align:center;white-space:nowrap}.broke{background:#d9363e;color:#fff}.broke-with-others{background:#e8833a;color:#fff}
.survived{background:#2e9e5b;color:#fff}.no-effect{background:#8883}.not-reached{opacity:.6}.not-run{background:repeating-linear-gradient(45deg,#8883 0 4px,transparent 4px 8px)}
ul{padding-left:1.2rem}.key span{display:inline-block;min-width:2rem;text-align:center;border-radius:4px;margin-right:.5rem}`

/** The account of a search as one HTML file, which needs no other. */
export function reportHtml(exploration: LiveExploration): string {
  const { name, line, findings, leftOut, result } = exploration
  const title = escaped(printable(name))
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style></head>
<body><h1>${title}</h1>
<p class="line">${escaped(line)}</p>
${findings.length === 0 ? '<p>No set of faults that was tried broke an invariant.</p>' : findings.map(findingHtml).join('\n')}
${endOf(result)
  .map((text) => `<p>${shown(text)}</p>`)
  .join('\n')}
<h2>Points and kinds of faults</h2>
${tableHtml(exploration)}
<ul class="key">${FATES.map((fate) => `<li><span class="${classOf(fate)}">${MARKS[fate]}</span>${fate}: ${MEANINGS[fate]}</li>`).join('')}</ul>
${list('Points that were not the same in two runs without a fault', result.unstable.map(pointText))}
${list(
  'Sets that broke once and not again',
  result.notRepeated.map(({ hits }) => setText(hits)),
)}
${list('Sets of which a call was not made again', result.notReached.map(setText))}
${list('Points that were gone, or new, after the search', result.drifted.map(pointText))}
${list('Faults that were no part of the search', leftOut)}
</body></html>
`
}

const FATES = Object.keys(MARKS) as readonly Fate[]

function tableHtml({ result }: LiveExploration): string {
  const { kinds, rows } = fateTable(result)
  const cell = (fate: Fate | undefined): string =>
    fate === undefined
      ? '<td></td>'
      : `<td class="${classOf(fate)}" title="${fate}">${MARKS[fate]}<span style="position:absolute;left:-9999px"> ${fate}</span></td>`
  return `<div class="scroll"><table><thead><tr><th>point</th>${kinds.map((kind) => `<th>${shown(kind)}</th>`).join('')}</tr></thead>
<tbody>${rows.map(({ point, fates }) => `<tr><th>${shown(point)}</th>${kinds.map((kind) => cell(fates[kind])).join('')}</tr>`).join('\n')}</tbody></table></div>`
}

function findingHtml({ hits, reason, twins, commands }: LiveFinding, n: number): string {
  const others = twins.map((twin) => twinText(twin, { hits })).join(', ')
  return `<h2>${n + 1}. ${hits.map((hit) => shown(hitText(hit))).join('<br>and ')}</h2>
<pre>${escaped(printable(reason, { max: 10_000, lines: true }))}</pre>${others === '' ? '' : `\n<p>Also with ${shown(others)}.</p>`}
<pre>${escaped(commands)}</pre>`
}

function list(title: string, lines: readonly string[]): string {
  return lines.length === 0
    ? ''
    : `<h2>${title}</h2><ul>${lines.map((line) => `<li>${shown(line)}</li>`).join('')}</ul>`
}

const setText = (hits: readonly Hit[]): string => hits.map(hitText).join(' and ')
const classOf = (fate: Fate): string => fate.replaceAll(' ', '-')
/** What the app says is untrusted text. */
const shown = (text: string): string => escaped(printable(text, { max: 1_000 }))
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
