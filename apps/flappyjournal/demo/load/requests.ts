import type { Findings } from './findings.js'

/** An answer that could be read. `undefined`, in its place: there was none. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Sends requests to the journal, and knows which are under way. */
export class Requests {
  readonly #url: string
  readonly #timeoutMs: number
  readonly #findings: Findings
  readonly #underWay = new Set<{ readonly since: number }>()
  readonly #closing = new AbortController()
  #sent = 0

  /** @param timeoutMs Longest wait for an answer, in ms: beyond it a request has failed. */
  constructor(url: string, timeoutMs: number, findings: Findings) {
    this.#url = url
    this.#timeoutMs = timeoutMs
    this.#findings = findings
  }

  get sent(): number {
    return this.#sent
  }

  get underWay(): number {
    return this.#underWay.size
  }

  /** Age of the oldest request under way, in ms; 0 if there is none. */
  get oldestMs(): number {
    const [oldest] = this.#underWay
    return oldest === undefined ? 0 : performance.now() - oldest.since
  }

  /** Sends a request. Whatever is no 2xx is counted. */
  async ask(token: string, method: string, path: string, body?: unknown): Promise<Answer | undefined> {
    const own = { since: performance.now() }
    this.#sent += 1
    this.#underWay.add(own)
    try {
      const response = await fetch(`${this.#url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#timeoutMs)]),
      })
      const text = await response.text()
      const { status } = response
      if (status >= 400 && status < 500) this.#findings.add('rejected', `${method} ${path} was answered with ${status}`)
      else if (!response.ok) this.#findings.add('failed', `${method} ${path} was answered with ${status}`)
      return { status, body: response.ok && text !== '' ? (JSON.parse(text) as unknown) : undefined }
    } catch (error) {
      if (!this.#closing.signal.aborted)
        this.#findings.add('failed', `${method} ${path} had no answer (${reasonOf(error)})`)
      return undefined
    } finally {
      this.#underWay.delete(own)
    }
  }

  /** Gives up what is under way, uncounted. */
  close(): void {
    this.#closing.abort()
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
