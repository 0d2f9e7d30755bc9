import { systemClock } from '@chaos/core/authoring'
import { withoutSlash } from '../shared/address.js'
import { inWords, jsonOf, MAX_ANSWER_BYTES } from '../shared/answer.js'
import { withTimeout } from '../shared/time.js'

/** Default of a reader's `timeoutMs`: the longest wait for an answer from the monitoring system, in ms. */
export const DEFAULT_TIMEOUT_MS = 5_000

/** An answer from the monitoring system. */
export interface Answer {
  readonly json: unknown
  /** The `Date` header, in ms since the epoch; `undefined` without one. */
  readonly date: number | undefined
  /** When the request was sent and when its answer arrived, by this process's monotonic clock, in ms. */
  readonly askedAt: number
  readonly answeredAt: number
}

/** A failed request to the monitoring system. `status` is set when a response arrived. */
export class MonitoringError extends Error {
  readonly status: number | undefined
  constructor(message: string, options: { readonly cause: unknown; readonly status?: number | undefined }) {
    super(message, { cause: options.cause })
    this.status = options.status
  }
}

/**
 * Requests JSON from the monitoring system.
 *
 * @throws MonitoringError with the address and the reason when the request fails or the answer exceeds 10 MB
 */
export async function getJson(url: string, path: string, timeoutMs: number, outer?: AbortSignal): Promise<Answer> {
  const address = `${withoutSlash(url)}${path}`
  let status: number | undefined
  try {
    return await withTimeout(
      systemClock,
      timeoutMs,
      async (signal) => {
        const askedAt = performance.now()
        const response = await fetch(address, { signal })
        const answeredAt = performance.now()
        if (!response.ok) {
          ;({ status } = response)
          await response.body?.cancel()
          throw new Error(`status ${response.status}`)
        }
        const date = Date.parse(response.headers.get('date') ?? '')
        return {
          json: await jsonOf(response, MAX_ANSWER_BYTES),
          date: Number.isNaN(date) ? undefined : date,
          askedAt,
          answeredAt,
        }
      },
      outer,
    )
  } catch (error) {
    const reason =
      error instanceof Error && error.cause instanceof Error && error.cause.message !== '' ? error.cause : error
    throw new MonitoringError(`The monitoring system did not answer ${address}: ${inWords(reason)}`, {
      cause: error,
      status,
    })
  }
}
