import { spawn } from 'node:child_process'
import { ChaosError } from '@chaos/core'
import { messageOf, onAbort, printable } from '@chaos/core/authoring'

/** Something that is done to the app: a request, or a command. */
export interface Step {
  readonly text: string
  /** Does it once. Rejects only if the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<StepResult>
}

/** What a step showed. */
export interface StepResult {
  /** Whether the status is below 400, or the exit code is 0. */
  readonly isOk: boolean
  /** `201`, `exit 0`, `ECONNREFUSED` */
  readonly answer: string
  /** What a command printed last on standard error, for messages. */
  readonly detail: string
}

/** The most bytes of an answer that are read. */
const MAX_BYTES = 10_000_000
const MAX_DETAIL = 500
const REQUEST = /^(?:([A-Z]{3,10}) )?(https?:\/\/\S+)$/

/**
 * Reads a step: `POST http://127.0.0.1:3000/orders` is a request, `http://…` one with GET, anything else a command of the shell.
 *
 * @param body The body of a request, sent as JSON.
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a command has a body.
 */
export function stepOf(text: string, body?: string): Step {
  const [, method = 'GET', url] = REQUEST.exec(text) ?? []
  if (url !== undefined) return { text, run: (signal) => request(method, url, body, signal) }
  if (body !== undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      '`--body` is the body of a request. Name a request: `--load "POST http://127.0.0.1:3000/orders"`.',
    )
  return { text, run: (signal) => command(text, signal) }
}

async function request(
  method: string,
  url: string,
  body: string | undefined,
  signal: AbortSignal,
): Promise<StepResult> {
  try {
    const response = await fetch(url, {
      method,
      signal,
      // A redirect is an answer of its own.
      redirect: 'manual',
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
    })
    await drain(response)
    return { isOk: response.status < 400, answer: String(response.status), detail: '' }
  } catch (error) {
    signal.throwIfAborted()
    const { cause } = Object(error) as { readonly cause?: unknown }
    const { code } = Object(cause) as { readonly code?: unknown }
    return { isOk: false, answer: typeof code === 'string' ? code : 'no answer', detail: messageOf(cause ?? error) }
  }
}

async function drain({ body }: Response): Promise<void> {
  if (body === null) return
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  for (let size = 0; size <= MAX_BYTES;) {
    const { done, value } = await reader.read()
    if (done) return
    size += value.byteLength
  }
  await reader.cancel().catch(() => undefined)
}

const HAS_GROUPS = process.platform !== 'win32'

function command(text: string, signal: AbortSignal): Promise<StepResult> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    // A group of its own, so that what the shell has started ends with it.
    const child = spawn(text, { shell: true, detached: HAS_GROUPS, stdio: ['ignore', 'ignore', 'pipe'] })
    let detail = ''
    child.stderr.setEncoding('utf8').on('data', (said: string) => (detail = (detail + said).slice(-MAX_DETAIL)))
    const ignore = onAbort(signal, () => {
      end(child.pid, () => child.kill('SIGKILL'))
      reject(signal.reason as Error)
    })
    child.on('error', (error) => {
      ignore()
      resolve({ isOk: false, answer: 'not started', detail: messageOf(error) })
    })
    child.on('close', (code, killedBy) => {
      ignore()
      resolve({ isOk: code === 0, answer: killedBy ?? `exit ${code ?? 0}`, detail: detail.trim() })
    })
  })
}

function end(pid: number | undefined, endAlone: () => void): void {
  if (pid === undefined || !HAS_GROUPS) {
    endAlone()
    return
  }
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** A result for people. */
export function resultText({ answer, detail }: StepResult): string {
  return printable(detail === '' ? answer : `${answer}: ${detail}`, { max: 1_000 })
}
