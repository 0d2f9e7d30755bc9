import * as v from 'valibot'
import { withoutSlash } from '../shared/address.js'
import { jsonOf, own, shown } from '../shared/answer.js'
import { numberOf } from '../shared/numbers.js'
import { address, described, number } from '../shared/schemas.js'
import { probeFields, probeType, type Measure, type Measurement } from './probe-type.js'
import { tolerance } from './tolerance.js'

const schema = v.strictObject({
  ...probeFields,
  type: v.literal('prometheus'),
  url: address('Address of the Prometheus HTTP API.'),
  query: described(
    'PromQL query that returns one number. An empty result or NaN is no data, unless `emptyIs` applies.',
  ),
  emptyIs: v.optional(
    v.pipe(
      number,
      v.description(
        'Value when the query returns NaN (0 divided by 0: nothing happened), or when it returns nothing and `existsQuery` returns something. Default: no data.',
      ),
    ),
  ),
  existsQuery: v.optional(
    described(
      'PromQL query that has a result while the series of `query` exist, such as `count(http_requests_total)`. Without it, an empty result is no data even with `emptyIs`, because renamed or removed series are empty too.',
    ),
  ),
  tolerance,
})

/** A probe of the type `prometheus`. */
type PrometheusProbe = v.InferOutput<typeof schema>

/** A probe that runs a PromQL query. */
export const prometheusProbe = probeType({
  type: 'prometheus',
  schema,
  origin: ({ url }) => url,
  asksMonitoring: true,
  read: (probe) => prometheusSource(probe),
  // Without `existsQuery`, only NaN (0 divided by 0) is idle.
  needsEvents: ({ existsQuery }) => existsQuery === undefined,
  // Some queries run only at the end, or only when another is empty. Checking them first finds errors before the
  // method.
  refusals: ({ name, url, query, existsQuery }) =>
    Object.entries({ query, existsQuery }).flatMap(([which, promql]) =>
      promql === undefined
        ? []
        : [
            async (signal: AbortSignal) => {
              const refusal = await refusalOf(url, promql, signal)
              return refusal === undefined
                ? undefined
                : `The Prometheus at ${url} rejects the \`${which}\` of ${name}: ${shown(refusal)}. Correct the query.`
            },
          ],
    ),
})

/** A plain selector: a name and optional labels. Prometheus reports when its samples were scraped. */
const PLAIN_SERIES = /^[a-zA-Z_:][\w:]*(?:\{[^{}]*\})?$/

/**
 * Queries Prometheus for one number.
 *
 * NaN (0 divided by 0) is idle, since the series exist. An empty result is idle only if `existsQuery` has a result at
 * the same time, because a query over renamed series is empty too.
 */
function prometheusSource({ url, query, emptyIs, existsQuery }: PrometheusProbe): Measure {
  const ask = async (promql: string, signal: AbortSignal): Promise<Result> =>
    resultOf(await answerOf(addressOf(url, promql), signal), promql)
  const idle = (problem: string): Measurement => {
    if (emptyIs === undefined) throw new Error(problem)
    return { value: emptyIs, quality: 'idle' }
  }
  return async (signal) => {
    // The time is requested first, so the value is at least as new.
    const dataAt = PLAIN_SERIES.test(query.trim()) ? await timeOf(query, ask, signal) : undefined
    const { value, count, isPartial } = await ask(query, signal)
    if (isPartial && count > 0)
      throw new Error(`no data for ${shown(query)}: the monitoring warns that its answer may not be whole`)
    if (count > 1) throw new Error(`expected one value for ${shown(query)}, got ${count}`)
    if (value !== undefined && !Number.isNaN(value))
      return { value, quality: 'measured', ...(dataAt === undefined ? {} : { dataAt }) }
    if (value !== undefined) return idle(`no data for ${shown(query)}: NaN`)
    if (emptyIs === undefined) throw new Error(`no data for ${shown(query)}`)
    if (existsQuery === undefined)
      throw new Error(
        `no data for ${shown(query)}: for \`emptyIs\` to stand for an empty result, add an \`existsQuery\` that shows that its series exist`,
      )
    const exists = await ask(existsQuery, signal)
    if (exists.count === 0)
      throw new Error(`no data for ${shown(query)}, nor for its \`existsQuery\` ${shown(existsQuery)}`)
    if (isPartial || exists.isPartial)
      throw new Error(`no data for ${shown(query)}: the monitoring warns that its answer may not be whole`)
    return idle('')
  }
}

interface Result {
  /** The first value; `undefined` when there is none. */
  readonly value: number | undefined
  /** The number of values. */
  readonly count: number
  /** Whether the answer has a warning, as an incomplete answer does. */
  readonly isPartial: boolean
}

/** When the single sample of a plain selector was scraped, in ms since the epoch; `undefined` if unknown. */
async function timeOf(
  query: string,
  ask: (promql: string, signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const { value = Number.NaN, count } = await ask(`timestamp(${query})`, signal)
    return count === 1 && Number.isFinite(value) ? value * 1_000 : undefined
  } catch {
    return undefined
  }
}

/**
 * Why Prometheus rejects a query. `undefined`: it accepts the query.
 *
 * @throws Error when Prometheus cannot be reached
 */
async function refusalOf(url: string, query: string, signal: AbortSignal): Promise<string | undefined> {
  const response = await fetch(addressOf(url, query), { signal })
  if (response.status === 400) return complaintOf(response)
  await response.body?.cancel()
  return undefined
}

const addressOf = (url: string, query: string): string =>
  `${withoutSlash(url)}/api/v1/query?query=${encodeURIComponent(query)}`

async function answerOf(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal })
  if (response.ok) return jsonOf(response)
  const reason = await complaintOf(response)
  throw new Error(`status ${response.status}${reason === undefined ? '' : `: ${reason}`}`)
}

/** The error message of a Prometheus response. */
async function complaintOf(response: Response): Promise<string | undefined> {
  const reason = own(await jsonOf(response, 10_000).catch(() => undefined), 'error')
  return typeof reason === 'string' ? reason : undefined
}

/** Reads an answer of Prometheus' query API. @throws Error when the answer has another form */
function resultOf(answer: unknown, query: string): Result {
  const data = own(answer, 'data')
  const result = own(data, 'result')
  const type = own(data, 'resultType')
  if (own(answer, 'status') !== 'success' || !Array.isArray(result) || (type !== 'vector' && type !== 'scalar')) {
    const reason = own(answer, 'error')
    throw new Error(
      `expected a number for ${shown(query)}, got ${typeof reason === 'string' ? reason : typeof type === 'string' ? `a ${type}` : 'another answer'}`,
    )
  }
  const rows: readonly unknown[] = type === 'scalar' ? [{ value: result as unknown[] }] : (result as unknown[])
  const warnings = own(answer, 'warnings')
  return {
    value: rows.length === 0 ? undefined : valueOf(rows[0], query),
    count: rows.length,
    isPartial: Array.isArray(warnings) && !warnings.every(isRemark),
  }
}

/** Whether a warning is only an informational note about the query, which Prometheus sends since version 2.50. */
function isRemark(warning: unknown): boolean {
  return typeof warning === 'string' && warning.startsWith('PromQL info: ')
}

function valueOf(row: unknown, query: string): number {
  const sample = own(row, 'value')
  const text: unknown = Array.isArray(sample) ? sample[1] : undefined
  const value = typeof text === 'string' ? numberOf(text) : undefined
  if (value === undefined) throw new Error(`expected a number for ${shown(query)}, got a sample without one`)
  return value
}
