import { messageOf } from '@chaos/core/authoring'

/** The largest answer, in bytes after decompression. */
export const MAX_ANSWER_BYTES = 10_000_000
/** Default length to which a message truncates a peer's text, in characters. */
const MAX_SHOWN = 200

/**
 * Reads the body of a response as text. The request's signal limits the time.
 *
 * @throws Error when the body is larger than `maxBytes`
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
      throw new Error(`the answer is larger than ${maxBytes} bytes`)
    }
    chunks.push(value)
  }
}

/** Reads and discards a body, up to `maxBytes`. @throws Error when the body is cut off */
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

/** Reads the body of a response as JSON. @throws Error when the body is too large or not JSON */
export async function jsonOf(response: Response, maxBytes = MAX_ANSWER_BYTES): Promise<unknown> {
  const text = await textOf(response, maxBytes)
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`expected JSON, got "${shown(text.slice(0, MAX_SHOWN))}"`)
  }
}

/** Makes a peer's text safe for a message: one line, no control characters, at most `maxLength` characters. */
export function shown(text: string, maxLength = MAX_SHOWN): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  // Control and format characters can move the cursor or change the reading direction.
  return short.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD')
}

/** The message of an error, with the message of its cause. A failed `fetch` explains itself only in its cause. */
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

/** The longest error message, in characters. */
const MAX_REASON = 4_000

/** The message of any thrown value. Never throws. */
export function reasonOf(error: unknown): string {
  return messageOf(error, { max: MAX_REASON, lines: true })
}

/** Reads an own property of an untrusted value; `undefined` if it is missing. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined
}
