import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { curve, load, passingEvidence, resultOf, sample, stretch, thorough } from '../../test/support.js'
import { judge } from '../verdict/judge.js'
import { timeline } from './chart.js'
import { escaped } from './escape.js'
import { toHtml } from './html.js'
import { toJournal, type ResultJournal } from './journal.js'
import { toJUnit } from './junit.js'
import { toText } from './text.js'
import { errorBar, span } from './words.js'
import { writeReports } from './write.js'

const passed = resultOf()
const failed = resultOf(passingEvidence({ alerts: [] }))
const unsure = resultOf(passingEvidence({ load: load(() => ({ ownDelayMs: 400 })) }))

describe('text', () => {
  it('ends with the verdict and its cause, after the marks, times and alerts', () => {
    const lines = toText(passed).split('\n')
    expect(lines.at(-1)).toBe(`pass: ${passed.verdict.cause}`)
    expect(lines).toContain('  t2     +3.90 s  alert fired (−500 ms)')
    expect(lines).toContain('  t4    +19.90 s  fault ended')
    expect(lines).toContain('  time to recover  6.5 s (by itself)')
    expect(lines).toContain('  detected        StockLow: It fired after 3900 ms (deadline 10000 ms) and resolved.')
    expect(lines).toContain('  good             orders left: 0 (expected = 0)')
  })

  it('does not say that there was nothing to recover from, where nobody saw it', () => {
    const broken = resultOf(passingEvidence({ brokenOff: 'it was aborted' }))
    expect(broken.verdict.recovery).toBe('not-observed')
    expect(toText(broken)).toContain('(not observed)')
  })

  it('shows time spans and error bars as people read them', () => {
    expect([span(undefined), span(0.4), span(999.4), span(1_000), span(12_345)]).toEqual(['–', '0 ms', '999 ms', '1.0 s', '12.3 s'])
    expect([errorBar({ errorMs: 0.2 }), errorBar({ errorMs: 252.87 }), errorBar({ errorMs: 1_500 })]).toEqual(['', '−253 ms', '−1.5 s'])
  })
})

describe('JUnit', () => {
  it('has a case for each experiment: failures are verdicts, errors are runs that could not be judged', () => {
    const xml = toJUnit([passed, failed, unsure])
    expect(xml).toContain('<testsuites tests="3" failures="1" errors="1"')
    expect(xml.match(/<testcase /g)).toHaveLength(3)
    expect(xml).toContain('<failure type="alert-failed" message="')
    expect(xml).toContain('<error type="inconclusive" message="')
    expect(xml).toContain('time="43.600"')
  })

  it('escapes what comes from outside', () => {
    expect(toJUnit([passed])).toContain('name="the shop &#60;b&#62;&#38; co&#60;/b&#62;"')
    expect(escaped('a\u0000<"\'&>')).toBe('a\ufffd&#60;&#34;&#39;&#38;&#62;')
  })
})

describe('the journal', () => {
  it('holds all that a verdict is made from: judged again, it is the same', () => {
    const { version, experiments } = JSON.parse(toJournal([passed, failed, unsure])) as ResultJournal
    expect(version).toBe(1)
    for (const { experiment, evidence, verdict } of experiments) expect(JSON.parse(JSON.stringify(judge(experiment, evidence)))).toEqual(verdict)
    expect(experiments.map(({ verdict }) => verdict.name)).toEqual(['pass', 'alert-failed', 'inconclusive'])
  })
})

describe('HTML', () => {
  const page = toHtml([passed, failed, unsure])

  it('is one file that loads nothing and runs nothing', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|url\(|@import/i)
    expect(page.match(/https?:\/\/[^"\s]+/g)?.filter((address) => address !== 'http://www.w3.org/2000/svg')).toEqual([])
  })

  it('shows each experiment with verdict, cause, marks, alerts, faults and readings', () => {
    for (const words of ['1 of 3 experiments passed', 'alert-failed', 'the machine was too slow', 'alert fired', 'shop/empty-shelves', '80 of 80', 'orders left']) expect(page).toContain(words)
    expect(page.match(/<section /g)).toHaveLength(3)
  })

  it('lets no text from outside become markup', () => {
    const hostile = '"><script>alert(1)</script>'
    const text = toHtml([
      resultOf(
        passingEvidence({
          curves: [curve(hostile, { bounds: hostile, unit: hostile })],
          alerts: [stretch({ name: hostile, labels: { [hostile]: hostile } })],
          afterwards: [{ name: hostile, bounds: hostile, sample: { ...sample(0, 1, undefined, false), problem: hostile } }],
        }),
        { ...thorough, title: hostile, description: hostile },
      ),
    ])
    expect(text).not.toContain('<script')
  })
})

describe('the timeline', () => {
  it('draws the window of the fault, a curve with its threshold for each probe, a band for each alert, and the marks', () => {
    const svg = timeline(passed.evidence, passed.verdict.marks, 't')
    expect(svg.match(/class="fault"/g)).toHaveLength(1)
    expect(svg.match(/<path class="curve"/g)).toHaveLength(1)
    expect(svg.match(/class="threshold"/g)).toHaveLength(1)
    expect([svg.match(/<rect class="pending"/g), svg.match(/<rect class="firing"/g)].map((found) => found?.length)).toEqual([1, 1])
    expect([...svg.matchAll(/<text x="[^"]+" y="\d+">(t\d)</g)].map(([, mark]) => mark)).toEqual(['t0', 't1', 't2', 't3', 't4', 't5', 't6', 't7'])
    expect(svg).toContain('alert fired at 3.9 s')
    expect(svg).not.toContain('NaN')
  })

  it('breaks the curve where there is no data, and says so', () => {
    const samples = [sample(0, 4_000, 1, true), sample(1, 5_000, undefined, false), sample(2, 6_000, 1, true)]
    const svg = timeline(passingEvidence({ curves: [curve('stock', { samples })] }), {}, 't')
    expect(/<path class="curve" d="([^"]*)"/.exec(svg)?.[1]?.match(/M/g)).toHaveLength(2)
    expect(svg.match(/class="gap"/g)).toHaveLength(1)
  })

  it('draws a run in which nothing was seen', () => {
    const svg = timeline(passingEvidence({ curves: [], alerts: [], injections: [] }), {}, 't')
    expect(svg).toMatch(/^<svg /)
    expect(svg).not.toMatch(/NaN|Infinity/)
  })
})

it('writes journal, JUnit and HTML into a directory that it makes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reports-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const { journal, junit, html } = await writeReports([passed], { directory: join(folder, 'a', 'b') })
  expect(await readFile(journal, 'utf8')).toBe(toJournal([passed]))
  expect(await readFile(junit, 'utf8')).toBe(toJUnit([passed]))
  expect(await readFile(html, 'utf8')).toBe(toHtml([passed]))
})
