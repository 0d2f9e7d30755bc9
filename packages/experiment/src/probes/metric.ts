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

/** How long a page may stay the same, in ms, unless the probe says otherwise. */
const STALE_AFTER_MS = 15_000
/** Steps that matching a label with a pattern may take. */
const MAX_STEPS = 5_000_000
/** Longest value in a message, in characters. */
const MAX_VALUE = 80

const patternProblem = (pattern: string): string | undefined => problemOf(pattern, compilePattern)

const seriesFields = {
  series: described('Name of the series; for a `quantile`, of the histogram.'),
  labels: v.optional(v.pipe(labels, v.description('Labels that it must have, as they are.'))),
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
        'Labels that it must have, as regular expressions that match all of the text: literals, `.`, classes, groups, `|`, `* + ?` and `{n,m}`, without back-references and looking around, at most 500 characters.',
      ),
    ),
  ),
}

const schema = v.strictObject({
  ...probeFields,
  type: v.literal('metric'),
  url: address('A page in the Prometheus text format.'),
  ...seriesFields,
  reduce: v.optional(
    v.pipe(
      v.picklist(['min', 'max', 'sum'], 'one of `min`, `max`, `sum`'),
      v.description('How several matching series make one value. Default: they must be one.'),
    ),
  ),
  quantile: v.optional(
    v.pipe(
      number,
      v.minValue(0, 'a number from 0 to 1'),
      v.maxValue(1, 'a number from 0 to 1'),
      v.description('Quantile of a histogram, from 0 to 1, as Prometheus estimates it.'),
    ),
  ),
  windowMs: v.optional(
    spanMs(
      'Look at the increase over so long, as seen by this probe, instead of at the total: for counters and histograms. Readings more than twice the window apart give no data.',
    ),
  ),
  outOf: v.optional(v.pipe(v.strictObject(seriesFields), v.description('Divide by the sum of these series: a share.'))),
  emptyIs: v.optional(
    v.pipe(
      number,
      v.description(
        'Value to take where no sample has these labels, or nothing happened in the window: a share of nothing. Only while the page knows the series by its name, from a sample with any labels, `# TYPE` or `# HELP`; else there is no data. Default: no data.',
      ),
    ),
  ),
  staleAfterMs: v.optional(
    durationMs(
      'How long the page may stay the same, to the byte, before what it says counts as old. 0: for ever, for a page on which nothing ever moves. Default 15000.',
    ),
  ),
  tolerance,
})

/** A probe of the type `metric`. */
export type MetricProbe = v.InferOutput<typeof schema>
/** Which series of a metrics page are meant. */
type SeriesSelector = Pick<MetricProbe, 'series' | 'labels' | 'labelsMatch'>

/** Reads a page of metrics of the system itself. */
export const metricProbe = probeType({
  type: 'metric',
  schema,
  origin: ({ url }) => url,
  maxAgeMs: ({ staleAfterMs = STALE_AFTER_MS }) => (staleAfterMs === 0 ? undefined : staleAfterMs),
  looksBack: ({ windowMs }) => windowMs !== undefined,
  // A count of what should not happen says something while nothing does.
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
        throw new Error(`the page redirects to ${origin}, which may be another process`)
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

/** Whether half of an answer looks like a whole one: `fetch` reads what is compressed as far as it comes, and a connection may be all that ends it. */
function mayBeCut({ headers }: Response): boolean {
  return (
    !['identity', null].includes(headers.get('content-encoding')) ||
    !(headers.has('content-length') || headers.has('transfer-encoding'))
  )
}

/** Tells when a page last became another one: a page of a live process counts at least how often it was asked for. */
function lastChange(clock: Clock): (text: string) => number {
  let last: string | undefined
  let at = clock.now()
  return (text) => {
    if (text !== last) at = clock.now()
    last = text
    return at
  }
}

/** Labels that a pattern for the same label does not match. Those with variables are checked once they have their values. */
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
        message: `Expected a pattern that \`${shown(`${label}: ${value}`, MAX_VALUE)}\` in \`labels\` matches, got \`${shown(pattern, MAX_VALUE)}\`: no series can have both.`,
      },
    ]
  })
}

/** A selector that is ready to match. */
interface Selection {
  readonly series: string
  isMeant(sample: TextSample, budget: Budget): boolean
}

/** Steps that matching the labels of one page may take. */
const STEPS_PER_PAGE = 5_000_000

/**
 * Makes one number of each page of metrics. A window is looked back over the pages read before.
 *
 * `emptyIs` stands for a series without samples, or in which nothing happened, only while the page knows the series by its name: what was renamed
 * or taken out is no data.
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
      // A window learns that a series went, from what is a page of metrics.
      if (page.declared.size > 0) window?.count(selected.map(asCounter), at)
      throw new Error(`there is no series ${shown(unknown.series)} on the page, with any labels`)
    }
    window?.count(selected.map(asCounter), at)
    const samples = window === undefined ? selected : window.increases()
    const valuesOf = (selection: Selection): readonly TextSample[] =>
      samples.filter((sample) => selection.isMeant(sample, budget))

    const part = valuesOf(meant)
    if (part.length === 0) {
      const nothing = idle(probe, `no series ${shown(meant.series)} with these labels`)
      // None of something that did happen is a share like any other.
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
    // A share of nothing is no share, unless the part is nothing too.
    if (value !== 0 && !Number.isNaN(value))
      throw new Error(`expected a share, got ${value} out of 0 of ${shown(whole.series)}`)
    return idle(probe, window === undefined ? 'nothing happened' : 'nothing happened in the window')
  }
}

/** @throws An error in words, unless the experiment says what nothing counts as */
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
    `expected ${shown(sample.series)} to be a counter, got ${sample.value}: \`windowMs\` is for counters and histograms`,
  )
}

function reduced({ reduce, outOf, series }: MetricProbe, values: readonly number[]): number {
  const missing = values.filter((value) => Number.isNaN(value)).length
  // All of them: nothing happened. One of them: what the others come to is not the whole.
  if (missing > 0 && missing < values.length) throw new Error(`${missing} of ${values.length} series are NaN`)
  const [first] = values
  if (reduce === 'min') return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  if (reduce === 'max') return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  if (reduce === 'sum' || outOf !== undefined) return values.reduce((total, value) => total + value, 0)
  if (first === undefined || values.length > 1)
    throw new Error(`expected one series ${shown(series)}, got ${values.length}: say \`reduce\`, or more labels`)
  return first
}
