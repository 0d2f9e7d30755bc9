import { reasonOf, shown } from '../shared/answer.js'
import { numberOf } from '../shared/numbers.js'
import { LineScanner } from './line-scanner.js'

/** One sample line of a metrics page. */
export interface TextSample {
  readonly series: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The wanted series of a metrics page. */
export interface MetricsPage {
  readonly samples: readonly TextSample[]
  /** The declared types by name (`# TYPE name counter`). A name with `# HELP` only has type `unknown`. */
  readonly declared: ReadonlyMap<string, string>
}

/** The longest line, in characters. */
const MAX_LINE = 65_536
/** The most samples of wanted series. */
const MAX_SAMPLES = 5_000
/** The most declared names that are kept. */
const MAX_DECLARED = 50_000
/** A character of a name. */
const NAME = /[\w:]/

/**
 * Reads series from a page in the Prometheus text format (version 0.0.4) or the OpenMetrics text format (1.0),
 * including exemplars and quoted UTF-8 names. Scans each line once, from left to right, and skips the lines of other
 * series.
 *
 * @param wanted Names of the series to read.
 * @param options.mustEnd Whether the page must end with `# EOF`, as OpenMetrics requires. Default false.
 *
 * @throws Error when a line that may belong to a wanted series is invalid, a series occurs twice, the page continues
 *   after `# EOF` or lacks a required `# EOF`, or a limit is exceeded
 */
export function readMetricsPage(
  text: string,
  wanted: ReadonlySet<string>,
  { mustEnd = false }: { readonly mustEnd?: boolean } = {},
): MetricsPage {
  const samples: TextSample[] = []
  const seen = new Set<string>()
  const declared = new Map<string, string>()
  let hasEnded = false
  for (let from = 0, number = 1; from < text.length; number += 1) {
    const newline = text.indexOf('\n', from)
    const to = newline === -1 ? text.length : newline
    const line = text.slice(from, text[to - 1] === '\r' ? to - 1 : to)
    from = to + 1
    if (hasEnded) {
      if (line !== '') throw new Error(`line ${number}: the page goes on after # EOF`)
      continue
    }
    if (/^[ \t]*#/.test(line)) {
      if (line === '# EOF') hasEnded = true
      else declare(line, declared)
      continue
    }
    const sample = sampleOf(line, number, wanted)
    if (sample === undefined) continue
    const key = keyOf(sample)
    if (seen.has(key))
      throw new Error(`line ${number}: series ${shown(sample.series)} occurs twice with the same labels`)
    if (samples.length === MAX_SAMPLES)
      throw new Error(
        `the page has more than ${MAX_SAMPLES} samples of ${[...wanted].map((name) => shown(name)).join(', ')}`,
      )
    seen.add(key)
    samples.push(sample)
  }
  if (mustEnd && !hasEnded) throw new Error('the page does not end with # EOF: it was cut short')
  return { samples, declared }
}

/** Whether a page declares a series or has a sample of it with any labels. */
export function isKnown(series: string, { samples, declared }: MetricsPage): boolean {
  return (
    samples.some((sample) => sample.series === series) ||
    declared.has(series) ||
    FAMILIES.some(
      ([suffix, types]) =>
        series.endsWith(suffix) && types.includes(declared.get(series.slice(0, -suffix.length)) ?? ''),
    )
  )
}

/** A key that is equal for equal series. Bucket bounds are compared as numbers, however they are written. */
export function keyOf({ series, labels }: Omit<TextSample, 'value'>): string {
  const entries = Object.entries(labels).map(
    ([name, value]) => [name, name === 'le' ? String(numberOf(value) ?? value) : value] as const,
  )
  return JSON.stringify([series, ...entries.sort(([a], [b]) => (a < b ? -1 : 1))])
}

/** Suffixes of the series that a declared family contains, and the types that have each suffix. */
const FAMILIES: readonly (readonly [string, readonly string[]])[] = [
  ['_total', ['counter']],
  ['_bucket', ['histogram', 'gaugehistogram']],
  ['_count', ['histogram', 'summary']],
  ['_sum', ['histogram', 'summary']],
  ['_gcount', ['gaugehistogram']],
  ['_gsum', ['gaugehistogram']],
  ['_info', ['info']],
]

function declare(line: string, declared: Map<string, string>): void {
  if (declared.size >= MAX_DECLARED || line.length > MAX_LINE) return
  const scanner = new LineScanner(line)
  scanner.blanks()
  scanner.expect('#')
  scanner.blanks()
  const keyword = scanner.run(/[A-Z]/)
  // Any other line with `#` is a comment.
  if ((keyword !== 'TYPE' && keyword !== 'HELP') || !scanner.blanks()) return
  try {
    const name = scanner.next === '"' ? scanner.quoted() : scanner.run(NAME)
    if (name === '' || (!scanner.blanks() && !scanner.isAtEnd)) return
    if (keyword === 'TYPE') declared.set(name, scanner.run(/[a-z]/))
    else if (!declared.has(name)) declared.set(name, 'unknown')
  } catch {
    // An invalid declaration is ignored.
  }
}

/** The sample of a line; `undefined` for an empty line or a series that is not wanted. */
function sampleOf(line: string, number: number, wanted: ReadonlySet<string>): TextSample | undefined {
  const scanner = new LineScanner(line)
  scanner.blanks()
  if (scanner.isAtEnd) return undefined
  let series: string | undefined
  try {
    const plain = scanner.run(NAME)
    if (plain !== '' && /[ \t{]/.test(scanner.next)) series = plain
    if (series !== undefined && !wanted.has(series)) return undefined
    if (line.length > MAX_LINE) throw new Error(`it is longer than ${MAX_LINE} characters`)
    if (series !== undefined) scanner.blanks()
    const { labels, name } = scanner.next === '{' ? scanner.braces() : { labels: {}, name: undefined }
    if (series !== undefined && name !== undefined) throw new Error('it has two names')
    series ??= name
    if (series === undefined) throw new Error('it has no name')
    if (!wanted.has(series)) return undefined
    scanner.blanks()
    const value = scanner.number()
    finish(scanner)
    return { series, labels, value }
  } catch (error) {
    // An unreadable line may belong to a wanted series if it contains the name of one.
    if (series === undefined && ![...wanted].some((name) => line.includes(name))) return undefined
    throw new Error(`line ${number} of the page cannot be read: ${reasonOf(error)}`, { cause: error })
  }
}

/** Reads what may follow a value: a timestamp (whole ms, or seconds in OpenMetrics) and an exemplar. */
function finish(scanner: LineScanner): void {
  if (scanner.blanks() && !scanner.isAtEnd && scanner.next !== '#') {
    scanner.number()
    scanner.blanks()
  }
  if (scanner.next === '#') {
    scanner.expect('#')
    scanner.blanks()
    scanner.braces()
    scanner.blanks()
    scanner.number()
    if (scanner.blanks() && !scanner.isAtEnd) scanner.number()
    scanner.blanks()
  }
  if (!scanner.isAtEnd) throw new Error('it continues after its end')
}
