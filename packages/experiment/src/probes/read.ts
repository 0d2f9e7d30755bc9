import type { Clock } from '@chaos/core'
import { withTimeout } from '../time.js'
import type { Probe, Tolerance } from '../model/experiment.js'
import { metricReader } from './metric.js'
import { parsePrometheusText } from './prometheus-text.js'
import { isWithin } from './tolerance.js'

/** One reading of a probe. */
export interface Sample {
  /** When the answer was there, in ms since the epoch. */
  readonly at: number
  /** `undefined`: no data. */
  readonly value: number | undefined
  /** Whether the value keeps its bounds. No data never does. */
  readonly isGood: boolean
  /** Why there is no data. */
  readonly problem?: string
}

/** Reads one probe, again and again. Never rejects: a probe that fails to answer in time gives no data, never a pass. */
export type ProbeReader = (signal?: AbortSignal) => Promise<Sample>

/** Longest wait for a reading, in ms, unless the probe says otherwise. */
const DEFAULT_TIMEOUT_MS = 2_000

/** The bounds of a probe; an HTTP probe without any wants its status. */
export function toleranceOf(probe: Probe): Tolerance {
  return probe.tolerance ?? { equals: 1 }
}

/** Makes the reader of a probe. It keeps what a window needs to look back. */
export function probeReader(probe: Probe, clock: Clock): ProbeReader {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = probe
  const valueOf = sourceOf(probe, clock)
  return async (signal) => {
    try {
      const value = await withTimeout(clock, timeoutMs, valueOf, signal)
      return { at: clock.now(), value, isGood: isWithin(value, toleranceOf(probe)) }
    } catch (error) {
      return { at: clock.now(), value: undefined, isGood: false, problem: inWords(error) }
    }
  }
}

function sourceOf(probe: Probe, clock: Clock): (signal: AbortSignal) => Promise<number> {
  switch (probe.type) {
    case 'function':
      return async () => asNumber(await probe.read(), probe.name)
    case 'http':
      return async (signal) => {
        // A page that sends elsewhere, such as to a login, has not answered itself.
        const response = await fetch(probe.url, { signal, redirect: 'manual' })
        const isExpected = response.status === (probe.status ?? 200)
        if (probe.path !== undefined && isExpected) return asNumber(valueAt(await response.json(), probe.path), probe.path)
        await response.body?.cancel()
        if (probe.path !== undefined) throw new Error(`status ${response.status}`)
        return isExpected ? 1 : 0
      }
    case 'metric': {
      const read = metricReader(probe)
      return async (signal) => {
        const page = await answerOf(probe.url, signal)
        return read(parsePrometheusText(await page.text()), clock.now())
      }
    }
    case 'prometheus':
      return async (signal) => {
        const answer = await answerOf(`${probe.url.replace(/\/$/, '')}/api/v1/query?query=${encodeURIComponent(probe.query)}`, signal)
        const values = valuesOf(await answer.json())
        const [first] = values
        if (values.length > 1) throw new Error(`expected one value for ${probe.query}, got ${values.length}`)
        if (first !== undefined) return first
        if (probe.emptyIs !== undefined) return probe.emptyIs
        throw new Error(`no data for ${probe.query}`)
      }
  }
}

async function answerOf(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal })
  if (response.ok) return response
  await response.body?.cancel()
  throw new Error(`status ${response.status}`)
}

function valueAt(json: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined), json)
}

/** The numbers of an answer of Prometheus' query API. NaN (0 divided by 0) is no data. */
function valuesOf(answer: unknown): number[] {
  const { data } = answer as { readonly data?: { readonly resultType?: string; readonly result?: unknown } }
  const rows = data?.resultType === 'scalar' ? [{ value: data.result }] : Array.isArray(data?.result) ? (data.result as unknown[]) : []
  return rows.map((row) => numberOf((row as { readonly value?: readonly unknown[] }).value?.[1])).filter((value) => !Number.isNaN(value))
}

/** A sample's value as Prometheus writes it: `"0.5"`, `"+Inf"`, `"NaN"`. */
function numberOf(text: unknown): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  return typeof text === 'string' || typeof text === 'number' ? Number(text) : Number.NaN
}

function asNumber(value: unknown, what: string): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  throw new Error(`expected a number at ${what}, got ${value === null ? 'null' : Number.isNaN(value) ? 'NaN' : typeof value}`)
}

/** The cause behind a failed `fetch` says more than "fetch failed". */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error && cause.message !== '' ? `${error.message}: ${cause.message}` : error.message
}
