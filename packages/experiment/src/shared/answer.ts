import { messageOf } from '@chaos/core'

/** The longest answer that is read, in bytes after decompression. */
export const MAX_ANSWER_BYTES = 10_000_000
/** The longest text of a peer that stands in a message, in characters, unless said otherwise. */
const MAX_SHOWN = 200

/**
 * The body of an answer as text. How long it may take is for the signal of the request to say.
 *
 * @throws An error in words when it is longer than `maxBytes`
 */
export async function textOf(response: Response, maxBytes = MAX_ANSWER_BYTES): Promise<string> {
  if (response.body === null) return ''
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks).toString('utf8')
    size += value.byteLength
    if (size > maxBytes) {
      await reader.cancel().catch(() => undefined)
      throw new Error(`expected an answer of at most ${maxBytes} bytes, got more`)
    }
    chunks.push(value)
  }
}

/** Reads a body to its end and keeps none of it; of a longer one than is read, no more. @throws when it is cut off */
export async function drain(response: Response, maxBytes = MAX_ANSWER_BYTES): Promise<void> {
  if (response.body === null) return
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  for (let size = 0; size <= maxBytes;) {
    const { done, value } = await reader.read()
    if (done) return
    size += value.byteLength
  }
  await reader.cancel().catch(() => undefined)
}

/** The body of an answer as JSON. @throws An error in words when it is too long, or no JSON */
export async function jsonOf(response: Response, maxBytes = MAX_ANSWER_BYTES): Promise<unknown> {
  const text = await textOf(response, maxBytes)
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`expected JSON, got "${shown(text.slice(0, MAX_SHOWN))}"`)
  }
}

/** A text of a peer as it may stand in a message: in one line, without control characters, cut to so many characters. */
export function shown(text: string, maxLength = MAX_SHOWN): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  // Control and format characters move the cursor, or turn the reading direction.
  return short.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD')
}

/** What went wrong, in words. The cause behind a failed `fetch` says more than "fetch failed". */
export function inWords(error: unknown): string {
  const reason = reasonOf(error)
  try {
    const { cause } = error as { readonly cause?: unknown }
    return shown(
      error instanceof Error && cause instanceof Error && cause.message !== '' ? `${reason}: ${cause.message}` : reason,
    )
  } catch {
    // What a function of an experiment throws may throw when it is looked at.
    return shown(reason)
  }
}

/** The longest reason in words, in characters. */
const MAX_REASON = 4_000

/** Why something failed, in words, whatever was thrown. Never throws. */
export function reasonOf(error: unknown): string {
  return messageOf(error, { max: MAX_REASON, lines: true })
}

/** An own property of a value that came from outside; `undefined` where there is none. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined
}
