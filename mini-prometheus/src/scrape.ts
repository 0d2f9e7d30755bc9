import { parseExposition } from './exposition.js'
import type { Scraped } from './series.js'

/** What a scrape found: samples, `up` among them. */
export interface Scrape {
  readonly samples: readonly Scraped[]
  /** Why the page could not be had or read. */
  readonly error: string | undefined
}

/** A page of metrics may be so long, in bytes. */
const MAX_PAGE_BYTES = 10_000_000

/**
 * Reads metrics over HTTP, as Prometheus would. A page that does not come in time, is no page of metrics or is too long gives `up` 0 and nothing else.
 *
 * @param timeoutMs Longest wait for the whole page, in ms.
 */
export async function scrape(url: string, timeoutMs: number, maxBytes = MAX_PAGE_BYTES): Promise<Scrape> {
  const own = { job: 'flappyjournal', instance: new URL(url).host }
  const up = (value: number): Scraped => ({ name: 'up', labels: own, value })
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    if (!response.ok) throw new Error(`Expected status 200, got ${response.status}.`)
    const found = parseExposition(await textOf(response, maxBytes))
    return {
      samples: [...found.map((sample) => ({ ...sample, labels: { ...sample.labels, ...own } })), up(1)],
      error: undefined,
    }
  } catch (error) {
    return { samples: [up(0)], error: error instanceof Error ? error.message : String(error) }
  }
}

async function textOf(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    // Leaving here gives up the connection.
    if (size > maxBytes) throw new Error(`Expected a page of at most ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
