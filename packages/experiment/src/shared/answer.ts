import { messageOf } from '@chaos/core/authoring'

/** The longest answer that is read, in bytes after decompression. */
export const MAX_ANSWER_BYTES = 10_000_000
/** Longest text from a peer that a message quotes by default, in characters. */
const MAX_SHOWN = 200

/**
 * Reads the body of a response as text. The signal of the request limits how long that takes.
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

/** Reads a body to its end, or up to `maxBytes`, and keeps nothing. @throws when the body is cut off */
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

/** Reads the body of a response as JSON. @throws An error in words when the body is too long or not JSON */
export async function jsonOf(response: Response, maxBytes = MAX_ANSWER_BYTES): Promise<unknown> {
  const text = await textOf(response, maxBytes)
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`expected JSON, got "${shown(text.slice(0, MAX_SHOWN))}"`)
  }
}

/** Makes a text from a peer safe for a message: one line, no control characters, at most `maxLength` characters. */
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
    // An experiment's function may throw an object whose getters throw.
    return shown(reason)
  }
}

/** The longest reason in words, in characters. */
const MAX_REASON = 4_000

/** Why something failed, in words, whatever was thrown. Never throws. */
export function reasonOf(error: unknown): string {
  return messageOf(error, { max: MAX_REASON, lines: true })
}

/** Reads an own property of an untrusted value; `undefined` if it has none. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined
}
