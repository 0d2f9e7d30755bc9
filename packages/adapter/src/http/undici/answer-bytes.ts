import type { HttpAnswer } from '../../errors/http.js'
import { hasBody } from '../answer-body.js'

/** Returns an answer as a service sends it. Answers to `HEAD`, and those of status 204 and 304, have no body. */
export function answerBytes({ statusCode, statusText, headers }: HttpAnswer, body: Buffer, method: string): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = Buffer.from(`HTTP/1.1 ${statusCode} ${statusText}\r\n${lines.join('')}\r\n`)
  return hasBody(method, statusCode) ? Buffer.concat([head, body]) : head
}
