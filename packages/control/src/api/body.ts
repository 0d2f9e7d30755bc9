import type { IncomingMessage } from 'node:http'
import { ChaosError, type Clock } from '@chaos/core'
import { printable } from '@chaos/core/authoring'
import { isDeeperThan } from './json.js'

/** Limits of a request body: its size, and the time until it is complete. */
export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
  readonly clock: Clock
}

/** The deepest nesting of a request body, in levels. */
const MAX_DEPTH = 32

/**
 * Reads a JSON request body.
 *
 * @throws ChaosError `CHAOS_UNSUPPORTED_MEDIA_TYPE` when the body is not plain JSON, `CHAOS_BODY_TOO_LARGE`,
 *   `CHAOS_BODY_TOO_SLOW`, or `CHAOS_INVALID_REQUEST` when it is incomplete, invalid or nested too deeply
 */
export async function readJson(req: IncomingMessage, limits: BodyLimits): Promise<unknown> {
  const text = await readText(req, 'application/json', limits)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    throw new ChaosError('CHAOS_INVALID_REQUEST', `The body is not JSON: ${printable((error as Error).message)}.`)
  }
  if (isDeeperThan(body, MAX_DEPTH))
    throw new ChaosError('CHAOS_INVALID_REQUEST', `The body is nested deeper than ${MAX_DEPTH} levels.`)
  return body
}

/**
 * Reads the body of an HTML form.
 *
 * @throws ChaosError as {@link readJson} does.
 */
export async function readForm(req: IncomingMessage, limits: BodyLimits): Promise<URLSearchParams> {
  return new URLSearchParams(await readText(req, 'application/x-www-form-urlencoded', limits))
}

/** Reads a body of a type that is not empty. */
async function readText(req: IncomingMessage, expected: string, limits: BodyLimits): Promise<string> {
  const type = req.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  const encoding = req.headers['content-encoding'] ?? 'identity'
  if (type !== expected || encoding !== 'identity') {
    throw new ChaosError(
      'CHAOS_UNSUPPORTED_MEDIA_TYPE',
      `The body has type ${printable(type ?? 'none')} (${printable(encoding)}). Send uncompressed ${expected}.`,
    )
  }
  const text = await receive(req, limits)
  if (text !== '') return text
  throw new ChaosError(
    'CHAOS_INVALID_REQUEST',
    'The body is empty. If a body parser runs before the handler, mount the handler in front of it.',
  )
}

function receive(req: IncomingMessage, { maxBodyBytes, bodyTimeoutMs, clock }: BodyLimits): Promise<string> {
  const tooLarge = (): ChaosError =>
    new ChaosError('CHAOS_BODY_TOO_LARGE', `The body is larger than ${maxBodyBytes} bytes.`)
  if (Number(req.headers['content-length'] ?? 0) > maxBodyBytes) return Promise.reject(tooLarge())
  if (req.readableEnded) return Promise.resolve('')

  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    const settle = (finish: () => void): void => {
      cancel()
      req.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
      finish()
    }
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk)
      sizeBytes += chunk.length
      if (sizeBytes > maxBodyBytes) settle(() => reject(tooLarge()))
    }
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks).toString('utf8')))
    const onGone = (): void =>
      settle(() =>
        reject(new ChaosError('CHAOS_INVALID_REQUEST', 'The connection was closed before the end of the body.')),
      )
    const cancel = clock.after(
      bodyTimeoutMs,
      () =>
        settle(() =>
          reject(
            new ChaosError(
              'CHAOS_BODY_TOO_SLOW',
              `The body is incomplete after ${bodyTimeoutMs} ms: only ${sizeBytes} bytes arrived.`,
            ),
          ),
        ),
      { ref: false },
    )
    req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
  })
}
