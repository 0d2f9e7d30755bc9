import { parseExposition } from './exposition.js'
import type { Sample } from './series.js'

/** The result of a scrape. */
interface Scrape {
  /** The samples of the page, plus `up`. */
  readonly samples: readonly Sample[]
  /** Why the page could not be fetched or parsed; `undefined`: it could. */
  readonly error: string | undefined
}

/** Options of {@link scrape}. */
interface ScrapeOptions {
  /** The `job` label of every sample. */
  readonly job: string
  /** The longest wait for the whole page, in ms. */
  readonly timeoutMs: number
  /** The longest page, in bytes. Default 10,000,000. */
  readonly maxBytes?: number
}

/**
 * Scrapes metrics over HTTP, as Prometheus does. A page that is late, invalid or too large yields only `up` with value
 * 0.
 */
export async function scrape(url: string, { job, timeoutMs, maxBytes = 10_000_000 }: ScrapeOptions): Promise<Scrape> {
  const own = { job, instance: new URL(url).host }
  const up = (value: number): Sample => ({ name: 'up', labels: own, value })
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    if (!response.ok) throw new Error(`The target answered with status ${response.status}.`)
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
    // Throwing here closes the connection.
    if (size > maxBytes) throw new Error(`The page is larger than ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
