/** A request that the server refused, or that did not reach it. */
export class RequestError extends Error {
  override readonly name = 'RequestError'

  constructor(
    message: string,
    /** The HTTP status; 0 if there was no answer. */
    readonly status: number,
    /** The field that the server names, if it names one: `options.delayMs`. */
    readonly field: string | undefined,
  ) {
    super(message)
  }
}

/** Requests to the control API of the server that serves the page. */
export interface Api {
  /** The address of the mount, without a slash at its end. */
  readonly base: string
  get<Answer>(path: string): Promise<Answer>
  post<Answer>(path: string, body: unknown): Promise<Answer>
  remove<Answer>(path: string): Promise<Answer>
}

/** The longest time until an answer, in ms. An app whose event loop is blocked answers late. */
const ANSWER_WITHIN_MS = 15_000
/** The most characters of a message. */
const MAX_MESSAGE = 4_000

/**
 * @param csrf What proves that a request comes from this page.
 * @param onSignedOut Called when the server no longer knows the session.
 */
export function createApi(base: string, csrf: string, onSignedOut: () => void): Api {
  async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), ANSWER_WITHIN_MS)
    try {
      const answer = await fetch(base + path, {
        method,
        headers: {
          accept: 'application/json',
          'x-chaos-csrf': csrf,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: abort.signal,
      })
      const text = await answer.text()
      if (answer.status === 401) onSignedOut()
      if (!answer.ok) throw refusalOf(answer.status, text)
      return text === '' ? undefined : (JSON.parse(text) as unknown)
    } catch (error) {
      if (error instanceof RequestError) throw error
      throw new RequestError('The process does not answer.', 0, undefined)
    } finally {
      clearTimeout(timer)
    }
  }
  return {
    base,
    get: (path) => ask('GET', path) as Promise<never>,
    post: (path, body) => ask('POST', path, body) as Promise<never>,
    remove: (path) => ask('DELETE', path) as Promise<never>,
  }
}

/** Reads an error body: problem details, or the `error` member alone. */
export function refusalOf(status: number, text: string): RequestError {
  const body = parsed(text)
  const error = recordOf(body['error'])
  const message = textOf(error['message']) ?? textOf(body['detail']) ?? `The server answered with status ${status}.`
  const hint = textOf(body['hint'])
  const whole = hint === undefined || message.includes(hint) ? message : `${message} ${hint}`
  return new RequestError(whole.slice(0, MAX_MESSAGE), status, textOf(body['field']))
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return recordOf(JSON.parse(text))
  } catch {
    return {}
  }
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
