import type { Clock } from '@chaos/core'
import { inWords, jsonOf } from '../../shared/answer.js'
import { checkLoadReport, type LoadReading } from '../../load/report.js'
import type { LoadInput } from '../../model/experiment.js'
import { withTimeout } from '../../shared/time.js'

/** The longest wait for an ordinary report, and for the report after a full verification, in ms. */
const REPORT_TIMEOUT_MS = 5_000
const LOOK_TIMEOUT_MS = 60_000

/** Follows the reports of a load. */
export interface LoadLog {
  readonly readings: readonly LoadReading[]
  readonly final: LoadReading | undefined
  /** Reads once. Never rejects; a failed reading is recorded. */
  read(signal?: AbortSignal): Promise<void>
  /** Asks the load to verify every acknowledged write, and reads its report. Never rejects. */
  look(): Promise<void>
}

export function loadLog({ report }: LoadInput, clock: Clock): LoadLog {
  const readings: LoadReading[] = []
  let final: LoadReading | undefined

  async function reading(timeoutMs: number, look: boolean, signal?: AbortSignal): Promise<LoadReading> {
    const askedAt = clock.now()
    try {
      const answer: unknown = await withTimeout(
        clock,
        timeoutMs,
        (inner) =>
          typeof report === 'function' ? Promise.resolve(report({ look })) : answerOf(addressOf(report, look), inner),
        signal,
      )
      return { askedAt, at: clock.now(), report: checkLoadReport(answer), problem: undefined }
    } catch (error) {
      return { askedAt, at: clock.now(), report: undefined, problem: inWords(error) }
    }
  }

  return {
    readings,
    get final() {
      return final
    },
    async read(signal) {
      const made = await reading(REPORT_TIMEOUT_MS, false, signal)
      if (signal?.aborted !== true) readings.push(made)
    },
    async look() {
      final = await reading(LOOK_TIMEOUT_MS, true)
    },
  }
}

/** The largest report, in bytes. */
const MAX_REPORT_BYTES = 100_000

async function answerOf(address: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(address, { signal, redirect: 'manual' })
  if (response.ok) return jsonOf(response, MAX_REPORT_BYTES)
  await response.body?.cancel()
  throw new Error(`status ${response.status}`)
}

function addressOf(url: string, look: boolean): string {
  if (!look) return url
  const address = new URL(url)
  address.searchParams.set('look', '')
  return address.href
}
