import { afterAll, beforeAll } from 'vitest'

/** An answer of the server, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON, or `undefined` if it is empty. @throws SyntaxError if the body is another text. */
  readonly json: () => unknown
}

/** The control API under test. */
export interface Api {
  /** Its address, such as `http://127.0.0.1:8474`. */
  readonly url: () => string
  /** @param body A string goes as it is, anything else as JSON. */
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer>
}

/** The server at `TOXIPROXY_URL`, or one of this package that the tests of the file share. */
export function serverUnderTest(): Api {
  let url = ''
  let stop: () => Promise<void> = () => Promise.resolve()
  beforeAll(async () => {
    const given = process.env['TOXIPROXY_URL']
    if (given !== undefined) {
      url = given.replace(/\/$/, '')
      return
    }
    const { startToxiproxy } = await import('../../src/toxiproxy/index.js')
    const server = await startToxiproxy()
    url = server.url
    stop = () => server.close()
  })
  afterAll(() => stop())
  return {
    url: () => url,
    async call(method, path, body, headers = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: () => (text === '' ? undefined : (JSON.parse(text) as unknown)),
      }
    },
  }
}
