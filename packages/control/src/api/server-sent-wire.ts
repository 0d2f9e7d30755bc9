import type { ServerResponse } from 'node:http'
import type { OpenWire } from './wire.js'

/** How long a client waits before it connects again, in ms. */
const RETRY_MS = 1_000

/**
 * The event stream as server-sent events, for clients that speak HTTP alone. A message is one line of JSON. The server
 * cannot ask whether such a client still reads: it notices one that is gone by its connection, and one that is stuck by
 * the data that it does not take.
 *
 * @param headers Headers of the answer, besides those of the stream.
 */
export const serverSentWire =
  (res: ServerResponse, headers: Readonly<Record<string, string>>): OpenWire =>
  (onGone) => {
    res.on('error', () => undefined)
    res.on('close', onGone)
    res.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
    res.write(`retry: ${RETRY_MS}\n\n`)
    return {
      // JSON has no line breaks outside of its strings, and escapes those within.
      send: (text, id) => void res.write(`id: ${id}\ndata: ${text}\n\n`),
      get unsentBytes() {
        return res.writableLength
      },
      beat: () => void res.write(': still here\n\n'),
      terminate: () => void res.destroy(),
      close() {
        res.end()
        res.destroy()
      },
    }
  }
