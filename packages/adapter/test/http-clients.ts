import { once } from 'node:events'
import http from 'node:http'
import { Agent, request as undiciRequest } from 'undici'
import type { HttpTarget } from '../src/http/target.js'
import type { HttpServer } from './http.js'

/** What a client heard. */
export interface Heard {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** A way to ask a server, and what stands for it as a target of faults. */
export interface Asking {
  readonly target: (server: HttpServer) => HttpTarget
  /** @param onData Called with each piece of the body */
  readonly ask: (url: string, signal?: AbortSignal, onData?: (piece: string) => void) => Promise<Heard>
}

const agent = new http.Agent({ keepAlive: true })
const dispatcher = new Agent()

type OnData = (piece: string) => void

async function textOf(body: AsyncIterable<Uint8Array>, onData: OnData = () => undefined): Promise<string> {
  let text = ''
  for await (const chunk of body) {
    const piece = Buffer.from(chunk).toString()
    text += piece
    onData(piece)
  }
  return text
}

async function byHttp(
  url: string,
  signal: AbortSignal | undefined,
  onData: OnData | undefined,
  options: http.RequestOptions,
): Promise<Heard> {
  // What breaks in the middle of a body is told to the request too, and to the response, which is read here.
  const request = http
    .get(url, { ...options, ...(signal === undefined ? {} : { signal }) })
    .on('error', () => undefined)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return { status: response.statusCode ?? 0, headers: response.headers, text: await textOf(response, onData) }
}

async function byFetch(url: string, signal?: AbortSignal, onData?: OnData): Promise<Heard> {
  const response = await fetch(url, signal === undefined ? {} : { signal })
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await textOf(response.body as unknown as AsyncIterable<Uint8Array>, onData),
  }
}

/** The clients of Node.js teams, and a server whose clients see its faults from far. */
export const askings: Readonly<Record<string, Asking>> = {
  'the built-in fetch': { target: () => globalThis, ask: byFetch },
  'an agent of undici': {
    target: () => dispatcher,
    async ask(url, signal, onData) {
      const { statusCode, headers, body } = await undiciRequest(url, {
        dispatcher,
        ...(signal === undefined ? {} : { signal }),
      })
      return { status: statusCode, headers, text: await textOf(body, onData) }
    },
  },
  'node:http': { target: () => http, ask: (url, signal, onData) => byHttp(url, signal, onData, {}) },
  'node:http without an agent': {
    target: () => http,
    ask: (url, signal, onData) => byHttp(url, signal, onData, { agent: false }),
  },
  'an agent of node:http': {
    target: () => agent,
    ask: (url, signal, onData) => byHttp(url, signal, onData, { agent }),
  },
  'a server': { target: ({ server }) => server, ask: byFetch },
}

/** What the headers say of the service, without what tells of the connection. */
export function saidBy({ headers }: Heard): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !['date', 'connection', 'keep-alive', 'transfer-encoding'].includes(name),
    ),
  )
}
