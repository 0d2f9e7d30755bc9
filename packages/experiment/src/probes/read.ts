import type { Clock } from '@chaos/core'
import { drain, inWords, jsonOf, own, textOf } from '../shared/answer.js'
import type { Probe, Tolerance } from '../model/experiment.js'
import { withTimeout } from '../shared/time.js'
import { metricReader, type Measurement } from './metric.js'
import { prometheusSource } from './prometheus-query.js'
import { isWithin } from './tolerance.js'

/** One reading of a probe. */
export interface Sample {
  /** Number of the reading: from 0, without a hole, for each reader. */
  readonly n: number
  /** When the question was sent, in ms since the epoch. */
  readonly askedAt: number
  /** When the answer was there, in ms since the epoch. */
  readonly at: number
  /** `undefined`: no data. */
  readonly value: number | undefined
  /** Whether the value keeps its bounds. No data never does. */
  readonly isGood: boolean
  /**
   * What the value is worth. `measured`: a number that was read. `idle`: nothing happened, or there is nothing, in a series that is known to exist;
   * the value is what the probe's `emptyIs` says. `none`: no data.
   */
  readonly quality: 'measured' | 'idle' | 'none'
  /** Why there is no data. */
  readonly problem?: string
  /**
   * When the data itself is from, in ms since the epoch. By the clock of Prometheus, where it tells, as it does of a plain series; for a `metric` page
   * by our own: when the page last became another one.
   */
  readonly dataAt?: number
}

/** Reads one probe, again and again. Never rejects: a probe that fails to answer in time gives no data, never a pass. */
export type ProbeReader = (signal?: AbortSignal) => Promise<Sample>

/** Longest wait for a reading, in ms, unless the probe says otherwise. */
const DEFAULT_TIMEOUT_MS = 2_000

/** The bounds of a probe; an HTTP probe without any wants its status. */
export function toleranceOf(probe: Probe): Tolerance {
  return probe.tolerance ?? { equals: 1 }
}

/** How long a probe waits for an answer, in ms. */
export function timeoutOf({ timeoutMs = DEFAULT_TIMEOUT_MS }: Probe): number {
  return timeoutMs
}

/** Makes the reader of a probe. It keeps what a window needs to look back. */
export function probeReader(probe: Probe, clock: Clock): ProbeReader {
  const measure = sourceOf(probe, clock)
  let count = 0
  return async (signal) => {
    const n = count
    count += 1
    const askedAt = clock.now()
    try {
      const { value, quality, dataAt } = await withTimeout(clock, timeoutOf(probe), measure, signal)
      return {
        n,
        askedAt,
        at: clock.now(),
        value,
        isGood: isWithin(value, toleranceOf(probe)),
        quality,
        ...(dataAt === undefined ? {} : { dataAt }),
      }
    } catch (error) {
      return { n, askedAt, at: clock.now(), value: undefined, isGood: false, quality: 'none', problem: inWords(error) }
    }
  }
}

function sourceOf(probe: Probe, clock: Clock): (signal: AbortSignal) => Promise<Measurement> {
  switch (probe.type) {
    case 'function':
      return async () => measured(asNumber(await probe.read(), probe.name))
    case 'http':
      return async (signal) => {
        // A page that sends elsewhere, such as to a login, has not answered itself.
        const response = await fetch(probe.url, { signal, redirect: 'manual' })
        const isExpected = response.status === (probe.status ?? 200)
        if (probe.path !== undefined && isExpected)
          return measured(asNumber(valueAt(await jsonOf(response), probe.path), probe.path))
        // An answer that hangs behind its head, or is cut off, is none.
        await (isExpected ? drain(response) : response.body?.cancel())
        if (probe.path !== undefined) throw new Error(`status ${response.status}`)
        return measured(isExpected ? 1 : 0)
      }
    case 'metric': {
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
    }
    case 'prometheus':
      return prometheusSource(probe)
  }
}

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

const measured = (value: number): Measurement => ({ value, quality: 'measured' })

/** What stands at a dotted path, by own keys only. */
function valueAt(json: unknown, path: string): unknown {
  return path.split('.').reduce(own, json)
}

function asNumber(value: unknown, what: string): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  throw new Error(
    `expected a number at ${what}, got ${value === null ? 'null' : Number.isNaN(value) ? 'NaN' : typeof value}`,
  )
}
