import { systemClock } from '@chaos/core'
import { withTimeout } from '../time.js'

/** Longest wait for an answer of the monitoring, in ms, unless a reader is told otherwise. */
export const DEFAULT_TIMEOUT_MS = 5_000

/** Asks the monitoring for JSON. @throws An error that says what was asked, and what came. */
export async function getJson(url: string, path: string, timeoutMs: number, outer?: AbortSignal): Promise<unknown> {
  const address = `${url.replace(/\/$/, '')}${path}`
  try {
    return await withTimeout(systemClock, timeoutMs, (signal) => ask(address, signal), outer)
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error && error.cause.message !== '' ? error.cause : error
    throw new Error(`Expected an answer of the monitoring at ${address}, got: ${reason instanceof Error ? reason.message : String(reason)}`, { cause: error })
  }
}

async function ask(address: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(address, { signal })
  if (response.ok) return response.json()
  await response.body?.cancel()
  throw new Error(`status ${response.status}`)
}
