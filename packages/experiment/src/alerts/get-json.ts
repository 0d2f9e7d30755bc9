import { systemClock } from '@chaos/core/authoring'
import { withoutSlash } from '../shared/address.js'
import { inWords, jsonOf, MAX_ANSWER_BYTES } from '../shared/answer.js'
import { withTimeout } from '../shared/time.js'

/** Longest wait for an answer of the monitoring, in ms, unless a reader is told otherwise. */
export const DEFAULT_TIMEOUT_MS = 5_000

/** An answer of the monitoring. */
export interface Answer {
  readonly json: unknown
  /** The `Date` header, in ms since the epoch; `undefined` without one. */
  readonly date: number | undefined
  /** When it was asked for and when it was there, by this process's monotonic clock, in ms. */
  readonly askedAt: number
  readonly answeredAt: number
}

/** A failed request; `status` is set if a response came. */
export class MonitoringError extends Error {
  readonly status: number | undefined
  constructor(message: string, options: { readonly cause: unknown; readonly status?: number | undefined }) {
    super(message, { cause: options.cause })
    this.status = options.status
  }
}

/** Requests JSON of at most 10 MB from the monitoring. @throws MonitoringError naming the address and what came */
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
    throw new MonitoringError(`Expected an answer of the monitoring at ${address}, got: ${inWords(reason)}`, {
      cause: error,
      status,
    })
  }
}
