import type { OutgoingHttpHeaders } from 'node:http'
import { ask, TOKEN, type Answer } from './support.js'

/** A browser without JavaScript: it keeps cookies, sends forms, and has no token of its own. */
export interface Visitor {
  /** The cookies that it has, as it sends them. */
  cookie: string
  /** Loads a path below the base. */
  get(path: string, headers?: OutgoingHttpHeaders, method?: string): Promise<Answer>
  /** Sends a form. Fields are encoded as browsers do. */
  post(path: string, fields: Readonly<Record<string, string>>, headers?: OutgoingHttpHeaders): Promise<Answer>
  /** Sends a request of the script. */
  call(method: string, path: string, headers?: OutgoingHttpHeaders, body?: unknown): Promise<Answer>
}

export function visitor(url: string): Visitor {
  const { origin } = new URL(url)
  const keep = (answer: Answer): Answer => {
    for (const cookie of answer.headers['set-cookie'] ?? []) self.cookie = cookie.split(';')[0] ?? ''
    return answer
  }
  const own = (): OutgoingHttpHeaders => ({ authorization: '', ...(self.cookie === '' ? {} : { cookie: self.cookie }) })
  const self: Visitor = {
    cookie: '',
    get: (path, headers = {}, method = 'GET') =>
      ask(`${url}${path}`, { method, headers: { ...own(), accept: 'text/html,*/*', ...headers } }).then(keep),
    post: (path, fields, headers = {}) =>
      ask(`${url}${path}`, {
        method: 'POST',
        body: new URLSearchParams(fields).toString(),
        headers: {
          ...own(),
          accept: 'text/html,*/*',
          origin,
          'sec-fetch-site': 'same-origin',
          'content-type': 'application/x-www-form-urlencoded',
          ...headers,
        },
      }).then(keep),
    call: (method, path, headers = {}, body?: unknown) =>
      ask(`${url}${path}`, { method, headers: { ...own(), ...headers }, body }).then(keep),
  }
  return self
}

/** Signs in by the form. */
export async function signedIn(url: string): Promise<Visitor & { readonly csrf: string }> {
  const browser = visitor(url)
  await browser.post('/sign-in', { token: TOKEN })
  const csrf = csrfOf(await browser.get('/'))
  return Object.assign(browser, { csrf })
}

/** The CSRF token of a page. */
export const csrfOf = ({ text }: Answer): string => /<meta name="chaos-csrf" content="([^"]+)"/.exec(text)?.[1] ?? ''

/** What the page says about the last form. */
export const statusOf = ({ text }: Answer): string =>
  /<output id="chaos-status"[^>]*>([^]*?)<\/output>/.exec(text)?.[1] ?? ''
