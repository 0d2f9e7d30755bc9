import type { IncomingMessage } from 'node:http'
import * as v from 'valibot'
import { ChaosError, isChaosError, type ChaosErrorCode, type Clock } from '@chaos/core'
import { messageOf, onAbort, printable } from '@chaos/core/authoring'
import { isDeeperThan } from '../api/json.js'
import { errorBodySchema } from '../api/schemas.js'
import { actorHeader } from './actor.js'
import { MAX_MESSAGE_BYTES, type Reach } from './address.js'

/** One request of a client. */
export interface ClientCall<Schema extends v.GenericSchema> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  /** An `Idempotency-Key`. With it, the request is sent once more if the connection is lost before the answer is there. */
  readonly key?: string
  /** What the audit log calls this client. */
  readonly actor?: string
  /** The schema of the answer. */
  readonly expects: Schema
  /** The longest wait for the answer, in ms. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Aborts the request with the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * Sends one request on a new connection. With a `key`, it is sent once more if the connection is lost before the answer is
 * there: the endpoint does nothing twice for one key.
 *
 * @throws ChaosError `CHAOS_ENDPOINT_UNREACHABLE` when no endpoint answers, or the error that the endpoint answered
 */
export async function call<Schema extends v.GenericSchema>(
  reach: Reach,
  { expects, ...sent }: ClientCall<Schema>,
): Promise<v.InferOutput<Schema>> {
  const { status, text } = await exchange(reach, sent).catch((error: unknown) => {
    if (sent.key !== undefined && sent.signal?.aborted !== true && isLost(error)) return exchange(reach, sent)
    throw error
  })
  const answer = jsonOf(text)
  if (status < 200 || status > 299) throw errorOf(reach, status, answer)
  const result = v.safeParse(expects, answer)
  if (result.success) return result.output
  throw unreachable(
    reach,
    `sent an unknown answer to ${sent.method} ${sent.path}: its version may differ (${result.issues[0].message})`,
  )
}

/** Converts an error response to a ChaosError. */
export function errorOf(reach: Reach, status: number, answer: unknown): ChaosError {
  const said = v.safeParse(errorBodySchema, answer)
  if (said.success) {
    const { error, field, expected } = said.output
    return new ChaosError(
      error.code as ChaosErrorCode,
      printable(error.message, { max: MAX_SAID, lines: true }),
      field === undefined ? {} : { details: { of: 'the request', field, expected } },
    )
  }
  return unreachable(reach, `answered with status ${status}, as a server without a control endpoint does`)
}

export function unreachable(reach: Reach, what: string, cause?: unknown): ChaosError {
  return new ChaosError(
    'CHAOS_ENDPOINT_UNREACHABLE',
    `The control endpoint at ${reach.name} ${printable(what, { max: MAX_SAID })}. ${reach.advice}`,
    cause === undefined ? {} : { cause },
  )
}

/** Converts a connection failure to a ChaosError. */
export function connectionFailure(reach: Reach, error: unknown): ChaosError {
  const code = (error as NodeJS.ErrnoException).code
  const reasons: Readonly<Partial<Record<string, string>>> = {
    ECONNREFUSED: 'refused the connection',
    ENOENT: 'does not exist',
    EACCES: 'does not admit this user',
    ENOTFOUND: 'has an unknown host name',
    ECONNRESET: 'closed the connection',
    EPIPE: 'closed the connection',
  }
  return unreachable(reach, reasons[code ?? ''] ?? `failed with ${messageOf(error, { max: MAX_SAID })}`, error)
}

/** Whether the connection was lost after it had been there, so that the answer may be lost too. */
const isLost = (error: unknown): boolean =>
  isChaosError(error, 'CHAOS_ENDPOINT_UNREACHABLE') &&
  ['ECONNRESET', 'EPIPE'].includes(String((Object(error.cause) as NodeJS.ErrnoException).code))

/** The longest text of a peer in an error message, in characters. */
const MAX_SAID = 2_000
/** The deepest nesting of an answer, in levels. */
const MAX_DEPTH = 200

/** Parses the text of an answer; `undefined` if it is not JSON or is nested too deeply. */
export function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isDeeperThan(value, MAX_DEPTH) ? undefined : value
  } catch {
    return undefined
  }
}

/** Reads an answer to its end. @throws Error when it is too large */
export async function textOf(res: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of res as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > MAX_MESSAGE_BYTES) throw new Error(`an answer larger than ${MAX_MESSAGE_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function exchange(
  reach: Reach,
  { method, path, body, key, actor, timeoutMs, clock, signal }: Omit<ClientCall<never>, 'expects'>,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const req = reach.request(method, path, {
      ...(actor === undefined ? {} : { 'chaos-actor': actorHeader(actor) }),
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    })
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
