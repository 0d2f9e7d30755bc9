import type { ServerResponse } from 'node:http'

/** An answer that a fault gives in place of the upstream. */
export interface Answer {
  readonly statusCode: number
  /** Name, value, name, value … Without those of the length. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

/** Whether an answer with this status may have a body. */
function mayHaveBody(statusCode: number): boolean {
  return statusCode !== 204 && statusCode !== 205 && statusCode !== 304
}

/** Sends an answer. Node.js adds `Date`. */
export function sendAnswer(response: ServerResponse, { statusCode, headers, body }: Answer): void {
  if (!mayHaveBody(statusCode)) {
    response.writeHead(statusCode, [...headers]).end()
    return
  }
  response.writeHead(statusCode, [...headers, 'content-length', String(body.length)]).end(body)
}
