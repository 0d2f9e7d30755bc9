import type { IncomingMessage } from 'node:http'
import * as v from 'valibot'
import { ChaosError, type ChaosErrorCode, type Clock } from '@chaos/core'
import { messageOf, onAbort, printable } from '@chaos/core/authoring'
import { isDeeperThan } from '../api/json.js'
import { errorBodySchema } from '../api/schemas.js'
import { MAX_MESSAGE_BYTES, type Reach } from './address.js'

/** One request of a client. */
export interface ClientCall<Schema extends v.GenericSchema> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  /** What the answer must look like. */
  readonly expects: Schema
  /** The longest that the answer may take, in ms. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Gives up when it aborts, with its reason. */
  readonly signal?: AbortSignal
}

/**
 * Sends one request, on a connection of its own.
 *
 * @throws ChaosError `CHAOS_ENDPOINT_UNREACHABLE`, or what the endpoint answered, with its code and message
 */
export async function call<Schema extends v.GenericSchema>(
  reach: Reach,
  { expects, ...sent }: ClientCall<Schema>,
): Promise<v.InferOutput<Schema>> {
  const { status, text } = await exchange(reach, sent)
  const answer = jsonOf(text)
  if (status < 200 || status > 299) throw errorOf(reach, status, answer)
  const result = v.safeParse(expects, answer)
  if (result.success) return result.output
  throw unreachable(
    reach,
    `answered ${sent.method} ${sent.path} with something that no control endpoint of this version sends (${result.issues[0].message})`,
  )
}

/** The error in an answer. */
export function errorOf(reach: Reach, status: number, answer: unknown): ChaosError {
  const said = v.safeParse(errorBodySchema, answer)
  if (said.success)
    return new ChaosError(
      said.output.error.code as ChaosErrorCode,
      printable(said.output.error.message, { max: MAX_SAID, lines: true }),
    )
  return unreachable(reach, `answered with status ${status}, as if there were no control endpoint`)
}

export function unreachable(reach: Reach, what: string, cause?: unknown): ChaosError {
  return new ChaosError(
    'CHAOS_ENDPOINT_UNREACHABLE',
    `Expected a control endpoint at ${reach.name}, which ${printable(what, { max: MAX_SAID })}. ${reach.advice}`,
    cause === undefined ? {} : { cause },
  )
}

/** A failed connection as an error. */
export function connectionFailure(reach: Reach, error: unknown): ChaosError {
  const code = (error as NodeJS.ErrnoException).code
  const reasons: Readonly<Partial<Record<string, string>>> = {
    ECONNREFUSED: 'refused the connection',
    ENOENT: 'is not there',
    EACCES: 'this user may not use',
    ENOTFOUND: 'has no address',
    ECONNRESET: 'closed the connection',
    EPIPE: 'closed the connection',
  }
  return unreachable(reach, reasons[code ?? ''] ?? `failed with ${messageOf(error, { max: MAX_SAID })}`, error)
}

/** The most that an error repeats of what a peer says, in characters. */
const MAX_SAID = 2_000
/** Nothing that the API answers lies deeper. */
const MAX_DEPTH = 200

/** The text of an answer as JSON. `undefined` for other text, and for JSON that is nested too deep. */
export function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isDeeperThan(value, MAX_DEPTH) ? undefined : value
  } catch {
    return undefined
  }
}

/** Reads an answer to its end, or to the longest that is taken. */
export async function textOf(res: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of res as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > MAX_MESSAGE_BYTES) throw new Error(`an answer of more than ${MAX_MESSAGE_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function exchange(
  reach: Reach,
  { method, path, body, timeoutMs, clock, signal }: Omit<ClientCall<never>, 'expects'>,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers =
      text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const req = reach.request(method, path, headers)
    const settle = (finish: () => void): void => {
      cancel()
      ignoreSignal?.()
      finish()
    }
    const fail = (error: Error): void => {
      settle(() => reject(error))
      req.destroy()
    }
    const giveUp = (): void => fail(signal?.reason as Error)
    const cancel = clock.after(timeoutMs, () =>
      fail(unreachable(reach, `did not answer ${method} ${path} within ${timeoutMs} ms`)),
    )
    const ignoreSignal = signal === undefined ? undefined : onAbort(signal, giveUp)
    req.on('error', (error) => fail(connectionFailure(reach, error)))
    req.on('response', (res) => {
      textOf(res).then(
        (read) => settle(() => resolve({ status: res.statusCode ?? 0, text: read })),
        (error: unknown) => fail(connectionFailure(reach, error)),
      )
    })
    if (signal?.aborted === true) giveUp()
    else req.end(text)
  })
}
