import type { Clock } from '@chaos/core'
import * as v from 'valibot'
import { shown, textOf } from '../shared/answer.js'
import {
  address,
  described,
  durationMs,
  hasVariable,
  labels,
  MAX_LABELS,
  number,
  problemOf,
  spanMs,
} from '../shared/schemas.js'
import { quantileOf } from './histogram.js'
import { compilePattern, MAX_PATTERN, type Budget } from './pattern.js'
import { probeFields, probeType, type Measurement, type ProbeProblem } from './probe-type.js'
import { isKnown, readMetricsPage, type TextSample } from './prometheus-text.js'
import { tolerance } from './tolerance.js'
import { counterWindow } from './window.js'

/** Default of `staleAfterMs`: how long a page may stay the same, in ms. */
const STALE_AFTER_MS = 15_000
/** The most steps for matching one label against a pattern. */
const MAX_STEPS = 5_000_000
/** The longest value in a message, in characters. */
const MAX_VALUE = 80

const patternProblem = (pattern: string): string | undefined => problemOf(pattern, compilePattern)

const seriesFields = {
  series: described('Name of the series. For a `quantile`, the name of the histogram.'),
  labels: v.optional(v.pipe(labels, v.description('Exact labels that the series must have. Default: any labels.'))),
  labelsMatch: v.optional(
    v.pipe(
      v.record(
        v.string(),
        v.pipe(
          v.string('a text'),
          v.maxLength(MAX_PATTERN, `a pattern of at most ${MAX_PATTERN} characters`),
          v.check(
            (pattern) => patternProblem(pattern) === undefined,
            ({ input }) =>
              `a regular expression that can be matched without backtracking (${patternProblem(input) ?? ''})`,
          ),
        ),
        'labels: names and texts',
      ),
      v.maxEntries(MAX_LABELS, `at most ${MAX_LABELS} labels`),
      v.description(
        'Labels that the series must have, as regular expressions of at most 500 characters that match the whole value. Supported: literals, `.`, classes, groups, `|`, `* + ?` and `{n,m}`. Not supported: back-references and lookaround. Default: any labels.',
      ),
    ),
  ),
}

const schema = v.strictObject({
  ...probeFields,
  type: v.literal('metric'),
  url: address('Address of a metrics page in the Prometheus text format.'),
  ...seriesFields,
  reduce: v.optional(
    v.pipe(
      v.picklist(['min', 'max', 'sum'], 'one of `min`, `max`, `sum`'),
      v.description('How several matching series are combined into one value. Default: exactly one series must match.'),
    ),
  ),
  quantile: v.optional(
    v.pipe(
      number,
      v.minValue(0, 'a number from 0 to 1'),
      v.maxValue(1, 'a number from 0 to 1'),
      v.description(
        'Quantile of a histogram, from 0 to 1, estimated as Prometheus does. Default: the value of the series is read.',
      ),
    ),
  ),
  windowMs: v.optional(
    spanMs(
      'Window, in ms. Reads the increase within the window, as this probe saw it, instead of the total. For counters and histograms. Readings more than twice the window apart give no data. Default: the total.',
    ),
  ),
  outOf: v.optional(
    v.pipe(
      v.strictObject(seriesFields),
      v.description('Divides the value by the sum of these series, which gives a share. Default: no division.'),
    ),
  ),
  emptyIs: v.optional(
    v.pipe(
      number,
      v.description(
        'Value when no sample has these labels, or nothing happened in the window (a share of nothing). Applies only while the page declares the series: by a sample with any labels, `# TYPE` or `# HELP`. Default: no data.',
      ),
    ),
  ),
  staleAfterMs: v.optional(
    durationMs(
      'How long the page may stay identical, in ms, before its data counts as stale. 0: forever, for a page whose values never change. Default 15000.',
    ),
  ),
  tolerance,
})

/** A probe of the type `metric`. */
export type MetricProbe = v.InferOutput<typeof schema>
/** Selects series of a metrics page. */
type SeriesSelector = Pick<MetricProbe, 'series' | 'labels' | 'labelsMatch'>

/** A probe that reads a metrics page of the system under test. */
export const metricProbe = probeType({
  type: 'metric',
  schema,
  origin: ({ url }) => url,
  maxAgeMs: ({ staleAfterMs = STALE_AFTER_MS }) => (staleAfterMs === 0 ? undefined : staleAfterMs),
  looksBack: ({ windowMs }) => windowMs !== undefined,
  // A plain count needs no events: a count of failures is meaningful at 0.
  needsEvents: ({ quantile, outOf }) => quantile !== undefined || outOf !== undefined,
  read(probe, clock) {
    const read = metricReader(probe)
    const changed = lastChange(clock)
    return async (signal) => {
      const response = await fetch(probe.url, { signal, headers: { 'accept-encoding': 'identity' } })
      if (!response.ok) {
        await response.body?.cancel()
        throw new Error(`status ${response.status}`)
      }
      const origin = new URL(response.redirected ? response.url : probe.url).origin
      if (origin !== new URL(probe.url).origin) {
        await response.body?.cancel()
        throw new Error(`the page redirects to ${origin}, which may belong to another process`)
      }
      const mustEnd =
        response.headers.get('content-type')?.toLowerCase().startsWith('application/openmetrics-text') === true
      const text = await textOf(response)
      if (mayBeCut(response) && !text.endsWith('\n'))
        throw new Error('the page does not end with a line feed: it was cut short')
      return { ...read(text, clock.now(), { mustEnd }), dataAt: changed(text) }
    }
  },
  problems: (probe) => [
    ...contradictions(probe, []),
    ...(probe.outOf === undefined ? [] : contradictions(probe.outOf, ['outOf'])),
  ],
})

/**
 * Whether a truncated answer could look complete. `fetch` decompresses as much as arrives, and an answer without a
 * length ends with its connection.
 */
function mayBeCut({ headers }: Response): boolean {
  return (
    !['identity', null].includes(headers.get('content-encoding')) ||
    !(headers.has('content-length') || headers.has('transfer-encoding'))
  )
}

/** Returns when a page last changed. The page of a live process changes at least by its own request counter. */
function lastChange(clock: Clock): (text: string) => number {
  let last: string | undefined
  let at = clock.now()
  return (text) => {
    if (text !== last) at = clock.now()
    last = text
    return at
  }
}

/** Labels that the pattern for the same label rejects. Labels with variables are checked after substitution. */
function contradictions(
  { labels: plain = {}, labelsMatch = {} }: SeriesSelector,
  path: readonly string[],
): ProbeProblem[] {
  return Object.entries(labelsMatch).flatMap(([label, pattern]) => {
    const value = Object.hasOwn(plain, label) ? plain[label] : undefined
    if (value === undefined || hasVariable(value) || hasVariable(pattern)) return []
    if (compilePattern(pattern)(value, { steps: MAX_STEPS })) return []
    return [
      {
        path: [...path, 'labelsMatch', label],
        message: `The pattern \`${shown(pattern, MAX_VALUE)}\` does not match \`${shown(`${label}: ${value}`, MAX_VALUE)}\` in \`labels\`, so no series can match both. Remove one of them.`,
      },
    ]
  })
}

/** A compiled selector. */
interface Selection {
  readonly series: string
  isMeant(sample: TextSample, budget: Budget): boolean
}

/** The most steps for matching all labels of one page. */
const STEPS_PER_PAGE = 5_000_000

/**
 * Computes one number from each metrics page. A window compares the page with pages read before.
 *
 * `emptyIs` replaces a series without samples, or without events, only while the page declares the series. A series
 * that was renamed or removed gives no data.
 */
export function metricReader(
  probe: MetricProbe,
): (page: string, at: number, options?: { readonly mustEnd?: boolean }) => Measurement {
  const meant = selectionOf(probe, probe.quantile === undefined ? probe.series : `${probe.series}_bucket`)
  const whole = probe.outOf === undefined ? undefined : selectionOf(probe.outOf, probe.outOf.series)
  const selections = whole === undefined ? [meant] : [meant, whole]
  const names = new Set(selections.map(({ series }) => series))
  const window = probe.windowMs === undefined ? undefined : counterWindow(probe.windowMs)

  return (text, at, options = {}) => {
    const page = readMetricsPage(text, names, options)
    const budget = { steps: STEPS_PER_PAGE }
    const selected = page.samples.filter((sample) => selections.some((selection) => selection.isMeant(sample, budget)))
    const unknown = selections.find(({ series }) => !isKnown(series, page))
    if (unknown !== undefined) {
      // A valid page without the series tells the window that the series is gone.
      if (page.declared.size > 0) window?.count(selected.map(asCounter), at)
      throw new Error(`the page has no series ${shown(unknown.series)} with any labels`)
    }
    window?.count(selected.map(asCounter), at)
    const samples = window === undefined ? selected : window.increases()
    const valuesOf = (selection: Selection): readonly TextSample[] =>
      samples.filter((sample) => selection.isMeant(sample, budget))

    const part = valuesOf(meant)
    if (part.length === 0) {
      const nothing = idle(probe, `no series ${shown(meant.series)} with these labels`)
      // An empty part of a whole with events is a share of 0.
      return whole !== undefined &&
        reduced(
          { ...probe, reduce: 'sum' },
          valuesOf(whole).map((sample) => sample.value),
        ) > 0
        ? { ...nothing, quality: 'measured' }
        : nothing
    }
    const value =
      probe.quantile === undefined
        ? reduced(
            probe,
            part.map((sample) => sample.value),
          )
        : quantileOf(probe.quantile, part)
    if (whole === undefined)
      return Number.isNaN(value) ? idle(probe, 'nothing happened') : { value, quality: 'measured' }
    const total = reduced(
      { ...probe, reduce: 'sum' },
      valuesOf(whole).map((sample) => sample.value),
    )
    if (total !== 0)
      return Number.isNaN(value / total)
        ? idle(probe, 'nothing happened')
        : { value: value / total, quality: 'measured' }
    // A part without a whole is an error. An empty part of an empty whole is idle.
    if (value !== 0 && !Number.isNaN(value))
      throw new Error(`the share is undefined: ${value} out of 0 of ${shown(whole.series)}`)
    return idle(probe, window === undefined ? 'nothing happened' : 'nothing happened in the window')
  }
}

/** The idle value of a probe. @throws Error when the probe has no `emptyIs` */
function idle({ emptyIs }: MetricProbe, problem: string): Measurement {
  if (emptyIs === undefined) throw new Error(problem)
  return { value: emptyIs, quality: 'idle' }
}

function selectionOf({ labels = {}, labelsMatch = {} }: SeriesSelector, series: string): Selection {
  const patterns = Object.entries(labelsMatch).map(([label, pattern]) => [label, compilePattern(pattern)] as const)
  const textOf = (sample: TextSample, label: string): string =>
    Object.hasOwn(sample.labels, label) ? (sample.labels[label] ?? '') : ''
  return {
    series,
    isMeant: (sample, budget) =>
      sample.series === series &&
      Object.entries(labels).every(([label, value]) => textOf(sample, label) === value) &&
      patterns.every(([label, matches]) => matches(textOf(sample, label), budget)),
  }
}

function asCounter(sample: TextSample): TextSample {
  if (Number.isFinite(sample.value) && sample.value >= 0) return sample
  throw new Error(
    `${shown(sample.series)} is not a counter: its value is ${sample.value}. \`windowMs\` is for counters and histograms`,
  )
}

function reduced({ reduce, outOf, series }: MetricProbe, values: readonly number[]): number {
  const missing = values.filter((value) => Number.isNaN(value)).length
  // If all are NaN, nothing happened. If only some are, the sum of the others would be incomplete.
  if (missing > 0 && missing < values.length) throw new Error(`${missing} of ${values.length} series are NaN`)
  const [first] = values
  if (reduce === 'min') return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  if (reduce === 'max') return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  if (reduce === 'sum' || outOf !== undefined) return values.reduce((total, value) => total + value, 0)
  if (first === undefined || values.length > 1)
    throw new Error(`${values.length} series ${shown(series)} match: add \`reduce\`, or more labels`)
  return first
}
