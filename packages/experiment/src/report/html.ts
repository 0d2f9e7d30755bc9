import { clockOffset } from '../evidence/clock-offset.js'
import type { Evidence, MarkName, RunInjection } from '../evidence/evidence.js'
import { MARK_WORDS } from '../evidence/mark-words.js'
import type { ExperimentResult } from '../verdict/result.js'
import { timeline } from './chart.js'
import { asMarkup, markup, textOfMarkup, type Markup } from './escape.js'
import { countsOf, totalOf, unlistedOf } from './instances.js'
import { errorBar, RECOVERY_WORDS, span } from './words.js'

/**
 * Renders results as one self-contained HTML file. Data is escaped, and the content security policy allows no script.
 */
export function toHtml(results: readonly ExperimentResult[]): string {
  const passed = results.filter(({ verdict }) => verdict.name === 'pass').length
  return textOfMarkup(markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chaos report: ${passed} of ${results.length} passed</title>
<style>${asMarkup(STYLE)}</style>
</head>
<body>
<header>
<h1>Chaos report</h1>
<p>${passed} of ${results.length} experiments passed${results[0] === undefined ? '' : `, started ${new Date(results[0].evidence.startedAt).toISOString()}`}.</p>
</header>
<main>
${overview(results)}
${results.map(section)}
</main>
</body>
</html>
`)
}

function overview(results: readonly ExperimentResult[]): Markup {
  const rows = results.map(
    ({ title, verdict }, index) =>
      markup`<tr><th scope="row"><a href="#experiment-${index}">${title}</a></th><td>${badge(verdict.name)}</td><td>${verdict.breached.join(', ') || 'none'}</td><td class="number">${span(verdict.timeToDetectMs)}</td><td class="number">${span(verdict.timeToRecoverMs)}</td><td>${RECOVERY_WORDS[verdict.recovery]}</td></tr>`,
  )
  return markup`<div class="card scroll"><table><thead><tr><th scope="col">experiment</th><th scope="col">verdict</th><th scope="col">SLIs breached</th><th scope="col">time to detect</th><th scope="col">time to recover</th><th scope="col">recovery</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

function section(result: ExperimentResult, index: number): Markup {
  const { title, description, verdict, evidence } = result
  const zero = verdict.marks.t0?.at ?? evidence.startedAt
  const marks = (Object.keys(MARK_WORDS) as MarkName[]).flatMap((name) => {
    const mark = verdict.marks[name]
    return mark === undefined
      ? []
      : [
          markup`<tr><th scope="row">${name}</th><td>${MARK_WORDS[name]}</td><td class="number">${((mark.at - zero) / 1_000).toFixed(2)} s</td><td class="number">${errorBar(mark)}</td></tr>`,
        ]
  })
  const alerts = verdict.alerts.map(
    ({ name, mustFire, outcome, detail }) =>
      markup`<tr><th scope="row">${name}</th><td>${mustFire ? 'must fire' : 'not required'}</td><td>${badge(outcome)}</td><td>${detail}</td></tr>`,
  )
  const faults = evidence.injections.map(
    ({ fault, target, kind, affected, seen, account, outcome, options, seed }) =>
      markup`<tr><th scope="row">${fault}</th><td>${target}</td><td>${kind}</td><td class="number">${affected} of ${seen}</td><td>${counts(account)}</td><td>${outcome ?? ''}</td><td><code>${JSON.stringify(options)}</code></td><td><code>${seed}</code></td></tr>`,
  )
  const afterwards = evidence.afterwards.map(
    ({ name, bounds, sample }) =>
      markup`<tr><th scope="row">${name}</th><td class="number">${sample.value ?? 'no data'}</td><td>${bounds}</td><td>${badge(sample.isGood ? 'good' : 'bad')}</td></tr>`,
  )
  return markup`<section id="experiment-${index}">
<h2>${title} ${badge(verdict.name)}</h2>
${description === undefined ? undefined : markup`<p>${description}</p>`}
<p class="cause">${verdict.cause}</p>
<figure>${timeline(evidence, verdict.marks, `timeline-${index}`)}
<figcaption><span class="key fault"></span> fault in force <span class="key threshold"></span> threshold <span class="key pending"></span> alert pending <span class="key firing"></span> alert firing. Time is counted from t0.</figcaption></figure>
<div class="tables">
${table('Marks', ['', 'meaning', 'time', 'error'], marks)}
${table('Alerts', ['alert', '', 'outcome', 'detail'], alerts)}
${table('Faults', ['fault', 'target', 'kind', 'affected', 'account', 'end', 'options', 'seed'], faults)}
${evidence.injections.map((injection) => instances(injection, evidence, zero))}
${table('Afterwards', ['reading', 'value', 'expected', ''], afterwards)}
</div>
</section>`
}

/** What each process did. @param zero The time that times are counted from, in ms since the epoch */
function instances({ fault, target, instances: told }: RunInjection, evidence: Evidence, zero: number): Markup {
  if (told === undefined) return markup``
  const { offsetMs = 0 } = clockOffset(evidence.appClock) ?? {}
  const time = (at: number | undefined): string =>
    at === undefined ? '' : `${((at - offsetMs - zero) / 1_000).toFixed(2)} s`
  const rows = told.list.map(
    ({ id, service = '', labels = {}, status, why = '', hits, appliedAt, endedAt, evidence: did }) =>
      markup`<tr><th scope="row">${id}</th><td>${service}</td><td>${pairs(labels)}</td><td>${status}</td><td>${why}</td><td class="number">${hits}</td><td class="number">${time(appliedAt)}</td><td class="number">${time(endedAt)}</td><td><code>${did.length === 0 ? '' : JSON.stringify(did).slice(0, MAX_EVIDENCE)}</code></td></tr>`,
  )
  const unlisted = unlistedOf(told)
  const cut = unlisted === 0 ? '' : `. ${unlisted} more are counted and not listed`
  return markup`${table(
    `Instances of ${fault} on ${target}: ${totalOf(told)} (${countsOf(told)})${cut}`,
    ['instance', 'service', 'labels', 'did', 'why', 'hits', 'in force', 'whole', 'evidence'],
    rows,
  )}`
}

/** The most characters of the evidence of an instance on the page. The journal has all of it. */
const MAX_EVIDENCE = 500

/** Labels as text: `zone=eu-1, pod=a`. */
const pairs = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')

/** The fault's own counters as text: `sent 20, dropped 8`. */
const counts = (account: Readonly<Record<string, number>>): string =>
  Object.entries(account)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

function table(caption: string, heads: readonly string[], rows: readonly Markup[]): Markup | undefined {
  if (rows.length === 0) return undefined
  return markup`<div class="scroll"><table><caption>${caption}</caption><thead><tr>${heads.map((head) => markup`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`
}

const GOOD = new Set(['pass', 'detected', 'allowed', 'good'])
const UNSURE = new Set(['inconclusive', 'gate-unmet', 'already-firing', 'monitoring-down'])

function badge(word: string): Markup {
  const mood = GOOD.has(word) ? 'ok' : UNSURE.has(word) ? 'unsure' : 'not-ok'
  return markup`<span class="badge ${mood}">${word}</span>`
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5d6675; --line: #dde2ea; --page: #f6f7f9; --card: #fff; --curve: #2f5fd0; --fault: #f4c5471f; --fault-line: #d99e0b; --bad: #cf3434; --warn: #d98a00; --ok: #1e8a4c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --soft: #9aa4b5; --line: #313a49; --page: #12161d; --card: #1a202a; --curve: #7ba2ff; --fault: #f4c54726; --bad: #ff7a70; --warn: #f0b04a; --ok: #57c98a; } }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); }
header, main { max-width: 1040px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; } h1 { margin: 0; font-size: 26px; letter-spacing: -.01em; } header p { margin: 4px 0 18px; color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin: 20px 0; }
h2 { margin: 0 0 6px; font-size: 19px; display: flex; gap: 10px; align-items: center; flex-wrap: wrap; } .cause { margin: 4px 0 10px; color: var(--soft); }
figure { margin: 0; overflow-x: auto; } svg { width: 100%; min-width: 640px; height: auto; display: block; } figcaption { font-size: 12.5px; color: var(--soft); }
.key { display: inline-block; width: 14px; height: 10px; border-radius: 2px; margin: 0 2px 0 10px; }
.key.fault { background: var(--fault-line); opacity: .45; } .key.threshold { background: var(--bad); height: 2px; vertical-align: middle; } .key.pending { background: var(--warn); opacity: .55; } .key.firing { background: var(--bad); }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg text.label { text-anchor: end; font-weight: 600; } svg text.bounds { text-anchor: end; fill: var(--soft); font-size: 11px; }
svg .row, svg line.tick { stroke: var(--line); } svg text.tick { text-anchor: middle; fill: var(--soft); font-size: 11px; }
svg rect.fault { fill: var(--fault-line); opacity: .16; } svg .curve { fill: none; stroke: var(--curve); stroke-width: 1.7; stroke-linejoin: round; } svg .threshold { stroke: var(--bad); stroke-width: 1; stroke-dasharray: 4 3; }
svg .bad { fill: var(--bad); } svg .gap { fill: var(--warn); } svg .pending { fill: var(--warn); opacity: .55; } svg .firing { fill: var(--bad); }
svg .mark line { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3; } svg .mark text { text-anchor: middle; font-size: 11px; font-weight: 600; fill: var(--soft); }
.tables { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; margin-top: 14px; } .scroll { overflow-x: auto; } .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; } caption { text-align: left; font-weight: 600; padding: 2px 8px; } th, td { text-align: left; padding: 5px 8px; border-top: 1px solid var(--line); vertical-align: top; } thead th { color: var(--soft); font-weight: 500; border-top: 0; }
td.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; } code { font-size: 12px; overflow-wrap: anywhere; } a { color: inherit; }
.badge { font-size: 12px; font-weight: 600; border-radius: 999px; padding: 1px 9px; border: 1px solid currentColor; white-space: nowrap; } .badge.ok { color: var(--ok); } .badge.not-ok { color: var(--bad); } .badge.unsure { color: var(--warn); }
`
