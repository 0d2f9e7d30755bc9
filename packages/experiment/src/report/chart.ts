import { clockOffset } from '../evidence/clock-offset.js'
import type { Curve, Evidence, MarkName, Marks } from '../evidence/evidence.js'
import { MARK_WORDS } from '../evidence/mark-words.js'
import { endingOf, landingOf } from '../evidence/marks.js'
import { asMarkup, lines, markup, type Markup } from './escape.js'

const WIDTH = 960
const LEFT = 190
const RIGHT = 20
const ROW = 64
const BAND = 20
const TOP = 46

/**
 * Draws the timeline of a run as inline SVG: the fault, a row per SLI with its threshold, a band per alert, the marks.
 */
export function timeline(evidence: Evidence, marks: Marks, id: string): Markup {
  const from = Math.min(
    ...evidence.curves.flatMap(({ samples }) => samples[0]?.at ?? []),
    marks.t0?.at ?? Number.POSITIVE_INFINITY,
    evidence.endedAt,
  )
  const to = Math.max(evidence.endedAt, from + 1)
  const zero = marks.t0?.at ?? from
  const x = (at: number): number =>
    LEFT + ((Math.min(Math.max(at, from), to) - from) / (to - from)) * (WIDTH - LEFT - RIGHT)

  const names = [...new Set(evidence.alerts.map(({ name }) => name))]
  const curvesEnd = TOP + evidence.curves.length * ROW
  const bandsEnd = curvesEnd + (names.length > 0 ? 14 + names.length * BAND : 0)
  const height = bandsEnd + 34

  const parts = [
    ...faultWindows(evidence).map(
      ([start, end]) =>
        markup`<rect class="fault" x="${f(x(start))}" y="${TOP}" width="${f(Math.max(2, x(end) - x(start)))}" height="${bandsEnd - TOP}"/>`,
    ),
    ...evidence.curves.map((curve, row) => curveRow(curve, TOP + row * ROW, x)),
    ...names.map((name, row) => alertBand(name, evidence, curvesEnd + 14 + row * BAND, x)),
    ...markLines(marks, bandsEnd, x),
    ...axis(from, to, zero, bandsEnd, x),
  ]
  return lines([
    markup`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc" xmlns="http://www.w3.org/2000/svg">`,
    markup`<title id="${id}-title">Timeline</title><desc id="${id}-desc">${inWords(evidence, marks, zero)}</desc>`,
    ...parts,
    markup`</svg>`,
  ])
}

function curveRow({ probe, unit, bounds, thresholds, samples }: Curve, top: number, x: (at: number) => number): Markup {
  const values = samples.flatMap(({ value }) => (value === undefined || !Number.isFinite(value) ? [] : [value]))
  const all = [...values, ...thresholds.filter(Number.isFinite)]
  const low = Math.min(0, ...all)
  const high = Math.max(...all, low + 1e-9)
  const y = (value: number): number =>
    top + ROW - 14 - ((Math.min(Math.max(value, low), high) - low) / (high - low || 1)) * (ROW - 26)
  const segments: string[] = []
  let isOpen = false
  for (const { at, value } of samples) {
    if (value === undefined || !Number.isFinite(value)) {
      isOpen = false
      continue
    }
    segments.push(`${isOpen ? 'L' : 'M'}${f(x(at))} ${f(y(value))}`)
    isOpen = true
  }
  const gaps = samples
    .filter(({ value }) => value === undefined)
    .map(
      ({ at }) =>
        markup`<circle class="gap" cx="${f(x(at))}" cy="${top + ROW - 14}" r="2"><title>no data</title></circle>`,
    )
  const bad = samples
    .filter(({ isGood, value }) => !isGood && value !== undefined && Number.isFinite(value))
    .map(({ at, value }) => markup`<circle class="bad" cx="${f(x(at))}" cy="${f(y(value ?? 0))}" r="2.2"/>`)
  return markup`${[
    markup`<line class="row" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${top + ROW - 8}" y2="${top + ROW - 8}"/>`,
    markup`<text class="label" x="${LEFT - 12}" y="${top + 26}">${probe}</text>`,
    markup`<text class="bounds" x="${LEFT - 12}" y="${top + 42}">${bounds}</text>`,
    ...thresholds
      .filter(Number.isFinite)
      .map(
        (threshold) =>
          markup`<line class="threshold" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${f(y(threshold))}" y2="${f(y(threshold))}"><title>${threshold} ${unit ?? ''}</title></line>`,
      ),
    markup`<path class="curve" d="${asMarkup(segments.join(''))}"/>`,
    ...bad,
    ...gaps,
  ]}`
}

function alertBand(name: string, evidence: Evidence, top: number, x: (at: number) => number): Markup {
  const stretches = evidence.alerts.filter((stretch) => stretch.name === name)
  return markup`${[
    markup`<text class="label" x="${LEFT - 12}" y="${top + 13}">${name}</text>`,
    markup`<line class="row" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${top + 9}" y2="${top + 9}"/>`,
    ...stretches.map(
      ({ state, from, to = evidence.endedAt }) =>
        markup`<rect class="${state}" x="${f(x(from))}" y="${top + 3}" width="${f(Math.max(2, x(to) - x(from)))}" height="12" rx="2"><title>${name} ${state}</title></rect>`,
    ),
  ]}`
}

function markLines(marks: Marks, bottom: number, x: (at: number) => number): Markup[] {
  const ends = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  return (Object.keys(MARK_WORDS) as MarkName[]).flatMap((name) => {
    const mark = marks[name]
    if (mark === undefined) return []
    const at = x(mark.at)
    // Mark names alternate between two lines, so that names of close marks do not overlap.
    const line = at - (ends[0] ?? 0) > 22 ? 0 : 1
    ends[line] = at
    return [
      markup`<g class="mark"><line x1="${f(at)}" x2="${f(at)}" y1="${TOP - 6}" y2="${bottom}"/><text x="${f(at)}" y="${line === 0 ? 18 : 34}">${name}<title>${MARK_WORDS[name]}</title></text></g>`,
    ]
  })
}

function axis(from: number, to: number, zero: number, bottom: number, x: (at: number) => number): Markup[] {
  const seconds = (to - from) / 1_000
  const step = [1, 2, 5, 10, 20, 30, 60, 120, 300].find((candidate) => seconds / candidate <= 12) ?? 600
  const ticks: Markup[] = []
  for (let second = Math.ceil((from - zero) / 1_000 / step) * step; zero + second * 1_000 <= to; second += step) {
    const at = x(zero + second * 1_000)
    ticks.push(
      markup`<line class="tick" x1="${f(at)}" x2="${f(at)}" y1="${bottom}" y2="${bottom + 5}"/><text class="tick" x="${f(at)}" y="${bottom + 20}">${second} s</text>`,
    )
  }
  return ticks
}

function faultWindows({ injections, appClock, endedAt }: Evidence): (readonly [number, number])[] {
  const offset = clockOffset(appClock)
  return injections.flatMap((injection) => {
    const landed = landingOf(injection, offset)
    return landed === undefined ? [] : [[landed.at, endingOf(injection, offset)?.at ?? endedAt] as const]
  })
}

function inWords(evidence: Evidence, marks: Marks, zero: number): string {
  const seconds = (at: number): string => `${((at - zero) / 1_000).toFixed(1)} s`
  const made = (Object.keys(MARK_WORDS) as MarkName[]).flatMap((name) =>
    marks[name] === undefined ? [] : [`${MARK_WORDS[name]} at ${seconds(marks[name].at)}`],
  )
  const alerts = evidence.alerts.map(
    ({ name, state, from, to }) =>
      `${name} ${state} from ${seconds(from)}${to === undefined ? '' : ` to ${seconds(to)}`}`,
  )
  return [...made, ...alerts].join('; ')
}

/** Formats a coordinate with one decimal, which keeps paths short. */
const f = (value: number): string => value.toFixed(1)
