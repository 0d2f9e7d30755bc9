import { ChaosError } from '@chaos/core'
import { builtin, messageOf, printable } from '@chaos/core/authoring'
import importedHttp from 'node:http'

const http = builtin('node:http', importedHttp)

/** Headers that say where a message ends, or how its connection goes on. A fault that changed them would break something else. */
const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Checks headers that a fault is to send.
 *
 * @param of The option, for messages.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for a name or a value that HTTP does not allow, and for a header of the framing.
 */
export function assertHeaders(of: string, headers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(headers)) {
    assertFree(of, name)
    try {
      http.validateHeaderName(name)
      http.validateHeaderValue(name, String(value))
    } catch (error) {
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`${of}\` to hold headers that HTTP allows, got \`${printable(name)}\`: ${messageOf(error)}.`,
        { cause: error },
      )
    }
  }
}

/**
 * Checks that a header is not one of the framing.
 *
 * @param of The option, for messages.
 * @throws ChaosError `CHAOS_INVALID_OPTION` if it is.
 */
export function assertFree(of: string, name: string): void {
  if (isFraming(name.toLowerCase()))
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`${of}\` to hold no header of the framing, got \`${printable(name)}\`. Use cutBodies or abortRequests to break a message off.`,
    )
}

/** Whether a header, in lower case, says where a message ends or how its connection goes on. */
export function isFraming(name: string): boolean {
  return FRAMING.has(name)
}

/** Headers of options as name, value, name, value … */
export function linesOf(headers: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) => [name, String(value)])
}
