import type { InjectionInstance } from '@chaos/core'
import fc from 'fast-check'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { curve, injection, load, passingEvidence, resultOf, sample, stretch, thorough } from '../../test/support.js'
import { judge } from '../verdict/judge.js'
import { timeline } from './chart.js'
import { line, markup, textOfMarkup } from './escape.js'
import { toHtml } from './html.js'
import { toJournal, type ResultJournal } from './journal.js'
import { toJUnit } from './junit.js'
import { toText } from './text.js'
import { errorBar, span } from './words.js'
import { prepareReports, writeReports } from './write.js'

const LIST: readonly InjectionInstance[] = [
  {
    id: 'i-0',
    service: 'shop',
    labels: { zone: 'eu' },
    status: 'reverted',
    why: 'max-duration',
    hits: 12,
    evidence: [],
  },
  { id: 'i-1', status: 'refused', why: 'The guard says no.', hits: 0, evidence: [] },
  { id: 'i-2', status: 'reverted', why: 'max-duration', hits: 1, appliedAt: 10_200, evidence: [{ lost: 1 }] },
]
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
    expect(lines).toContain('  fault            shop/empty-shelves on shop: 80 of 80 operations affected, seed 1')
  })

  it('tells of the load what this run saw of it, not what it counted in runs before', () => {
    const another = resultOf(
      passingEvidence({
        load: load(({ at }) =>
          at < 40_000
            ? { lost: 5, offenders: ['entry 1: missing'] }
            : { lost: 6, offenders: ['entry 1: missing', 'entry 9: missing'] },
        ),
      }),
    )
    expect(another.verdict.cause).toContain('1 acknowledged writes were lost, expected at most 0 (entry 9: missing)')
    const lines = toText(another).split('\n')
    const place = lines.indexOf('  load             850 requests, 425 writes acknowledged, 1 lost')
    expect(lines.slice(place + 1, place + 3).map((text) => text.trim())).toEqual([
      'entry 9: missing',
      expect.stringMatching(/^good/),
    ])
  })

  it('has a line for each process of an injection that spans a few', () => {
    const few = resultOf(
      passingEvidence({ injections: [injection({ instances: { counts: { reverted: 2, refused: 1 }, list: LIST } })] }),
    )
    const lines = toText(few).split('\n')
    const place = lines.indexOf('  instances        3: 2 reverted, 1 refused')
    expect(lines[place - 1]).toMatch(/^ {2}fault /)
    expect(lines.slice(place + 1, place + 4).map((one) => one.trim())).toEqual([
      'reverted    i-0 (shop): 12 hits, max-duration',
      'refused     i-1: 0 hits, The guard says no.',
      'reverted    i-2: 1 hit, max-duration',
    ])
  })

  it('groups the processes of an injection that spans hundreds, the rarest end first', () => {
    const list = Array.from({ length: 200 }, (_, index) => ({
      ...(LIST[0] as InjectionInstance),
      id: `i-${index}`,
      ...(index === 150 ? { status: 'refused', why: 'no', hits: 0 } : {}),
    }))
    const many = resultOf(
      passingEvidence({ injections: [injection({ instances: { counts: { reverted: 299, refused: 1 }, list } })] }),
    )
    const lines = toText(many).split('\n')
    const place = lines.indexOf('  instances        300: 299 reverted, 1 refused')
    expect(lines.slice(place + 1, place + 4).map((one) => one.trim())).toEqual([
      'refused     1 with 0 hits (no): i-150',
      'reverted    199 with 2388 hits (max-duration): i-0, i-1, i-2 and 196 more',
      '100 more are counted and not listed',
    ])
  })

  it('stays short where each of a thousand processes ends in its own way', () => {
    const list = Array.from({ length: 1_000 }, (_, index) => ({
      ...(LIST[0] as InjectionInstance),
      why: `${index} ${'x'.repeat(9_000)}`,
    }))
    const wild = resultOf(
      passingEvidence({ injections: [injection({ instances: { counts: { reverted: 1_000 }, list } })] }),
    )
    const lines = toText(wild).split('\n')
    expect(lines).toContain('                   and 990 more, in 990 groups: 11880 hits')
    expect(lines.length).toBeLessThan(40)
    expect(toText(wild).length).toBeLessThan(60_000)
  })

  it('does not say that there was nothing to recover from, where nobody saw it', () => {
    const broken = resultOf(passingEvidence({ brokenOff: 'the caller stopped it' }))
    expect(broken.verdict.recovery).toBe('not-observed')
    expect(toText(broken)).toContain('(not observed)')
  })

  it('shows time spans and error bars as people read them', () => {
    expect([span(undefined), span(0.4), span(999.4), span(1_000), span(12_345)]).toEqual([
      '–',
      '0 ms',
      '999 ms',
      '1.0 s',
      '12.3 s',
    ])
    expect([errorBar({ errorMs: 0.2 }), errorBar({ errorMs: 252.87 }), errorBar({ errorMs: 1_500 })]).toEqual([
      '',
      '−253 ms',
      '−1.5 s',
    ])
  })
})

describe('what comes from outside', () => {
  it('begins no line of its own in a text, and holds nothing that a terminal obeys', () => {
    const hostile = 'x\n\u001b[2Jpass: all is well\u202e'
    const stretches = [stretch({ name: hostile })]
    const list = [{ id: hostile, service: hostile, status: hostile, why: hostile, hits: 1, evidence: [] }]
    const injections = [injection({ instances: { counts: { [hostile]: 1 }, list } })]
    const text = toText(
      resultOf(
        passingEvidence({
          alerts: stretches,
          injections,
          brokenOff: hostile,
          afterwards: [{ name: hostile, bounds: hostile, sample: sample(0, 1, undefined, false) }],
        }),
        { ...thorough, title: hostile },
      ),
    )
    expect(text).toContain('x\\u000a\\u001b[2Jpass: all is well\\u202e')
    expect(text.split('\n').filter((one) => one.startsWith('pass:'))).toEqual([])
    // eslint-disable-next-line no-control-regex -- but for line feeds, none is left
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  })

  it('is cut where it is endless', () => {
    expect(line('x'.repeat(1_000_000)).length).toBeLessThan(5_000)
    expect(toHtml([resultOf(passingEvidence({ brokenOff: 'x'.repeat(1_000_000) }))]).length).toBeLessThan(100_000)
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
    expect(textOfMarkup(markup`${'a\u0000<"\'&>'}`)).toBe('a\\u0000&#60;&#34;&#39;&#38;&#62;')
  })

  it('holds no character that XML 1.0 forbids, whatever came from outside', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 50 }),
        fc.constantFrom('\ud800', '\udfff', '\ufffe', '\uffff', '\u0000', '\u001b', '\u202e'),
        (text, worst) => {
          const hostile = `${text}${worst}`
          const xml = toJUnit([resultOf(passingEvidence({ brokenOff: hostile }), { ...thorough, title: hostile })])
          // eslint-disable-next-line no-control-regex -- the characters that XML has, by its own definition
          expect(xml).toMatch(/^[\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u)
          expect(xml).not.toContain('\u202e')
        },
      ),
    )
  })
})

describe('the journal', () => {
  it('holds all that a verdict is made from: judged again, it is the same', () => {
    const { version, experiments } = JSON.parse(toJournal([passed, failed, unsure])) as ResultJournal
    expect(version).toBe(1)
    for (const { experiment, evidence, verdict } of experiments)
      expect(JSON.parse(JSON.stringify(judge(experiment, evidence)))).toEqual(verdict)
    expect(experiments.map(({ verdict }) => verdict.name)).toEqual(['pass', 'alert-failed', 'inconclusive'])
  })

  it('holds nothing that a terminal obeys which shows the file, and is the same for who reads it', () => {
    const title = 'x\u009b2J\u202e\u200b\u2028\u{e0041}\u007f'
    const text = toJournal([{ ...passed, title }])
    expect(text).not.toMatch(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/u)
    expect((JSON.parse(text) as ResultJournal).experiments[0]?.title).toBe(title)
  })
})

describe('HTML', () => {
  const page = toHtml([passed, failed, unsure])

  it('has a table of what each process did, escaped and bounded', () => {
    const hostile = '<script>\u202e'
    const list = [
      ...LIST,
      {
        id: hostile,
        service: hostile,
        labels: { [hostile]: hostile },
        status: hostile,
        why: hostile,
        hits: 0,
        evidence: [{ [hostile]: 'x'.repeat(1_000_000) }],
      },
    ]
    const table = toHtml([
      resultOf(
        passingEvidence({ injections: [injection({ instances: { counts: { reverted: 2, [hostile]: 9 }, list } })] }),
      ),
    ])
    expect(table).toContain('<caption>Instances of shop/empty-shelves on shop: 11 (2 reverted, 9 &#60;script&#62;')
    expect(table).toContain('7 more are counted and not listed</caption>')
    expect(table).toContain('<td>zone=eu</td><td>reverted</td><td>max-duration</td><td class="number">12</td>')
    // By the clock of the app, 10.2 s is a tenth of a second after the landing.
    expect(table).toContain(
      '<td class="number">0.10 s</td><td class="number"></td><td><code>[{&#34;lost&#34;:1}]</code>',
    )
    expect(table).not.toMatch(/<script|\u202e/)
    expect(table.length).toBeLessThan(100_000)
  })

  it('is one file that loads nothing and runs nothing', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|url\(|@import/i)
    expect(page.match(/https?:\/\/[^"\s]+/g)?.filter((address) => address !== 'http://www.w3.org/2000/svg')).toEqual([])
  })

  it('shows each experiment with verdict, cause, marks, alerts, faults and readings', () => {
    for (const words of [
      '1 of 3 experiments passed',
      'alert-failed',
      'the machine was too slow',
      'alert fired',
      'shop/empty-shelves',
      '80 of 80',
      'orders left',
      '<th scope="col">seed</th>',
    ])
      expect(page).toContain(words)
    expect(page.match(/<section /g)).toHaveLength(3)
  })

  it('lets no text from outside become markup', () => {
    const hostile = '"><script>alert(1)</script>'
    const text = toHtml([
      resultOf(
        passingEvidence({
          curves: [curve(hostile, { bounds: hostile, unit: hostile })],
          alerts: [stretch({ name: hostile, labels: { [hostile]: hostile } })],
          afterwards: [
            { name: hostile, bounds: hostile, sample: { ...sample(0, 1, undefined, false), problem: hostile } },
          ],
        }),
        { ...thorough, title: hostile, description: hostile },
      ),
    ])
    expect(text).not.toContain('<script')
  })

  it('lets none become markup that is no text at all: numbers, words and lists of a process that sends something else', () => {
    const hostile: unknown = '<script>alert(1)</script>'
    const forged: unknown = { markup: hostile, toString: () => hostile }
    for (const value of [hostile, forged, [hostile], [forged]]) {
      const evidence = passingEvidence()
      const [injection] = evidence.injections
      const lied = {
        ...injection,
        kind: value,
        seen: value,
        affected: value,
        outcome: value,
        account: { [String(hostile)]: value },
        options: { [String(hostile)]: value },
      }
      const text = toHtml([
        resultOf({
          ...evidence,
          injections: [lied],
          afterwards: [{ name: value, bounds: value, sample: { value, isGood: true } }],
        } as unknown as typeof evidence),
      ])
      expect(text).not.toContain('<script')
      expect(text).toContain('&#60;script')
    }
  })
})

describe('the timeline', () => {
  const drawn = (...given: Parameters<typeof timeline>): string => textOfMarkup(timeline(...given))

  it('draws the window of the fault, a curve with its threshold for each probe, a band for each alert, and the marks', () => {
    const svg = drawn(passed.evidence, passed.verdict.marks, 't')
    expect(svg.match(/class="fault"/g)).toHaveLength(1)
    expect(svg.match(/<path class="curve"/g)).toHaveLength(1)
    expect(svg.match(/class="threshold"/g)).toHaveLength(1)
    expect(
      [svg.match(/<rect class="pending"/g), svg.match(/<rect class="firing"/g)].map((found) => found?.length),
    ).toEqual([1, 1])
    expect([...svg.matchAll(/<text x="[^"]+" y="\d+">(t\d)</g)].map(([, mark]) => mark)).toEqual([
      't0',
      't1',
      't2',
      't3',
      't4',
      't5',
      't6',
      't7',
    ])
    expect(svg).toContain('alert fired at 3.9 s')
    expect(svg).not.toContain('NaN')
  })

  it('breaks the curve where there is no data, and says so', () => {
    const samples = [sample(0, 4_000, 1, true), sample(1, 5_000, undefined, false), sample(2, 6_000, 1, true)]
    const svg = drawn(passingEvidence({ curves: [curve('stock', { samples })] }), {}, 't')
    expect(/<path class="curve" d="([^"]*)"/.exec(svg)?.[1]?.match(/M/g)).toHaveLength(2)
    expect(svg.match(/class="gap"/g)).toHaveLength(1)
  })

  it('draws a run in which nothing was seen', () => {
    const svg = drawn(passingEvidence({ curves: [], alerts: [], injections: [] }), {}, 't')
    expect(svg).toMatch(/^<svg /)
    expect(svg).not.toMatch(/NaN|Infinity/)
  })
})

describe('writing', () => {
  async function folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'reports-'))
    onTestFinished(() => rm(path, { recursive: true }))
    return path
  }
  const refusal = { code: 'CHAOS_REPORT_NOT_WRITTEN' }

  it('puts journal, JUnit and HTML into a directory that it makes, and nothing else', async () => {
    const directory = join(await folder(), 'a', 'b')
    await prepareReports({ directory })
    expect(await readdir(directory)).toEqual([])
    const { journal, junit, html } = await writeReports([passed], { directory })
    expect(await readFile(journal, 'utf8')).toBe(toJournal([passed]))
    expect(await readFile(junit, 'utf8')).toBe(toJUnit([passed]))
    expect(await readFile(html, 'utf8')).toBe(toHtml([passed]))
    expect(await readdir(directory)).toEqual(['journal.json', 'junit.xml', 'report.html'])
  })

  it.each(['reports', 'reports/', 'nowhere', 'nowhere/'])(
    'writes through no symbolic link that is the directory (%s)',
    async (name) => {
      const path = await folder()
      await mkdir(join(path, 'elsewhere'))
      await symlink(join(path, 'elsewhere'), join(path, 'reports'))
      await symlink(join(path, 'missing'), join(path, 'nowhere'))
      const directory = `${path}/${name}`
      await expect(prepareReports({ directory })).rejects.toMatchObject(refusal)
      await expect(writeReports([passed], { directory })).rejects.toMatchObject(refusal)
      expect(await readdir(join(path, 'elsewhere'))).toEqual([])
      expect((await readdir(path)).sort()).toEqual(['elsewhere', 'nowhere', 'reports'])
    },
  )

  it('replaces a symbolic link of a report and leaves alone what it leads to', async () => {
    const directory = await folder()
    await writeFile(join(directory, 'precious'), 'mine')
    await symlink(join(directory, 'precious'), join(directory, 'report.html'))
    await prepareReports({ directory })
    await writeReports([passed], { directory })
    expect(await readFile(join(directory, 'precious'), 'utf8')).toBe('mine')
    expect((await lstat(join(directory, 'report.html'))).isFile()).toBe(true)
  })

  it('says beforehand that a directory cannot be made, or that something is in the way', async () => {
    const directory = await folder()
    await writeFile(join(directory, 'file'), '')
    await mkdir(join(directory, 'junit.xml'))
    await expect(prepareReports({ directory: join(directory, 'file') })).rejects.toMatchObject(refusal)
    await expect(prepareReports({ directory: join(directory, 'file', 'below') })).rejects.toMatchObject(refusal)
    await expect(prepareReports({ directory: '/proc/no/such/place' })).rejects.toMatchObject(refusal)
    await expect(prepareReports({ directory })).rejects.toThrow('junit.xml is a directory')
  })

  it('leaves the reports of an earlier run whole when it fails half-way', async () => {
    const directory = await folder()
    await writeReports([passed], { directory })
    const broken = {
      ...failed,
      get description(): string {
        throw new Error('half-way')
      },
    }
    await expect(writeReports([broken], { directory })).rejects.toThrow('half-way')
    await rm(join(directory, 'report.html'))
    await mkdir(join(directory, 'report.html'))
    await expect(writeReports([failed], { directory })).rejects.toMatchObject(refusal)
    expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([])
    const { experiments } = JSON.parse(await readFile(join(directory, 'journal.json'), 'utf8')) as ResultJournal
    expect(experiments).toHaveLength(1)
  })

  it('carries what JSON cannot', () => {
    const [injection] = passed.evidence.injections
    expect(
      toJournal([
        {
          ...passed,
          evidence: { ...passed.evidence, injections: [{ ...injection, options: { big: 2n ** 64n } }] },
        } as unknown as typeof passed,
      ]),
    ).toContain('"18446744073709551616"')
  })
})
