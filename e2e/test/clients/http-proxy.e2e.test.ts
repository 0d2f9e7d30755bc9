import { execFile } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { inject, type Fault } from '@chaos/core'
import {
  abortRequests,
  answerRequests,
  createHttpProxy,
  cutBodies,
  delayResponses,
  hangRequests,
  trickleBodies,
  type HttpProxy,
  type HttpProxyTarget,
} from '@chaos/proxy/http'
import axios from 'axios'
import got from 'got'
import ky from 'ky'
import undici from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

const run = promisify(execFile)

/** Gives the body, or rejects as the client does. `ms` is the client's own limit. */
type Get = (url: string, ms: number) => Promise<string>

const clients: Readonly<Record<string, Get>> = {
  fetch: async (url, ms) => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ms) })
    return `${answer.status} ${await answer.text()}`
  },
  undici: async (url, ms) => {
    const dispatcher = new undici.Agent({ headersTimeout: ms, bodyTimeout: ms })
    try {
      const { statusCode, body } = await undici.request(url, { dispatcher })
      return `${statusCode} ${await body.text()}`
    } finally {
      await dispatcher.destroy()
    }
  },
  axios: async (url, ms) => {
    const { status, data } = await axios.get<string>(url, { timeout: ms, validateStatus: () => true })
    return `${status} ${data}`
  },
  got: async (url, ms) => {
    const { statusCode, body } = await got(url, {
      timeout: { request: ms },
      retry: { limit: 0 },
      throwHttpErrors: false,
    })
    return `${statusCode} ${body}`
  },
  ky: async (url, ms) => {
    const answer = await ky(url, { timeout: ms, retry: 0, throwHttpErrors: false })
    return `${answer.status} ${await answer.text()}`
  },
  curl: async (url, ms) => {
    const { stdout } = await run('curl', ['--silent', '--max-time', String(ms / 1_000), '-w', '%{http_code}', url])
    return `${stdout.slice(-3)} ${stdout.slice(0, -3)}`
  },
}

/** An error in a few words: its name, and the code of it or of its cause. */
function wordsOf(error: unknown): string {
  const { name, code, cause } = error as { name: string; code?: unknown; cause?: { code?: unknown } }
  return [name, code ?? cause?.code].join(' ').trim()
}

const outcomeOf = (get: Promise<string>): Promise<string> => get.catch(wordsOf)

let server: http.Server
let upstream: string
let sockets: WebSocketServer
beforeAll(async () => {
  server = http.createServer((_request, response) => response.end('0123456789')).listen(0, '127.0.0.1')
  sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  await once(server, 'listening')
  upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  sockets.close()
  server.close()
  server.closeAllConnections()
})

async function through<T>(
  fault: Fault<HttpProxyTarget> | undefined,
  work: (proxy: HttpProxy) => Promise<T>,
): Promise<T> {
  const proxy = await createHttpProxy({ upstream })
  const injection = fault && (await inject(fault, proxy))
  try {
    return await work(proxy)
  } finally {
    if (injection !== undefined) expect(injection.affected).toBeGreaterThan(0)
    await injection?.rollback()
    await proxy.close()
    expect([proxy.counters.open, proxy.counters.live]).toEqual([0, 0])
  }
}

const [PATIENT_MS, IMPATIENT_MS] = [30_000, 300]
const faults = {
  none: [undefined, PATIENT_MS],
  answered: [answerRequests({ statusCode: 503, body: 'down' }), PATIENT_MS],
  late: [delayResponses({ delayMs: 20 }), PATIENT_MS],
  slow: [trickleBodies({ pieceBytes: 4, everyMs: 5 }), PATIENT_MS],
  reset: [abortRequests(), PATIENT_MS],
  closed: [abortRequests({ how: 'close', reached: 'upstream' }), PATIENT_MS],
  cut: [cutBodies({ afterBytes: 4, how: 'close' }), PATIENT_MS],
  hung: [hangRequests(), IMPATIENT_MS],
  trickled: [trickleBodies({ everyMs: 10_000 }), IMPATIENT_MS],
} satisfies Record<string, readonly [fault: Fault<HttpProxyTarget> | undefined, ms: number]>

type Reactions = Partial<Record<keyof typeof faults, string>>

const WHOLE = '200 0123456789'
const alike: Reactions = { none: WHOLE, answered: '503 down', late: WHOLE, slow: WHOLE }
const likeFetch: Reactions = {
  ...alike,
  reset: 'TypeError ECONNRESET',
  closed: 'TypeError UND_ERR_SOCKET',
  cut: 'TypeError UND_ERR_SOCKET',
}
/** What each client makes of each fault. Where the time of a client begins anew with each read, a trickle never ends it. */
const reactions: Readonly<Record<string, Reactions>> = {
  fetch: { ...likeFetch, hung: 'TimeoutError 23', trickled: 'TimeoutError 23' },
  undici: {
    ...alike,
    reset: 'Error ECONNRESET',
    closed: 'SocketError UND_ERR_SOCKET',
    cut: 'SocketError UND_ERR_SOCKET',
    hung: 'HeadersTimeoutError UND_ERR_HEADERS_TIMEOUT',
  },
  axios: {
    ...alike,
    reset: 'Error ECONNRESET',
    closed: 'Error ECONNRESET',
    cut: 'AxiosError ERR_BAD_RESPONSE',
    hung: 'AxiosError ECONNABORTED',
  },
  got: {
    ...alike,
    reset: 'RequestError ECONNRESET',
    closed: 'RequestError ECONNRESET',
    cut: 'ReadError ECONNRESET',
    hung: 'TimeoutError ETIMEDOUT',
    trickled: 'TimeoutError ETIMEDOUT',
  },
  ky: { ...likeFetch, hung: 'TimeoutError' },
  // 56: failure in receiving; 52: empty reply; 18: partial file; 28: timeout.
  curl: { ...alike, reset: 'Error 56', closed: 'Error 52', cut: 'Error 18', hung: 'Error 28', trickled: 'Error 28' },
}

describe.each(Object.entries(reactions))('%s through an HTTP proxy', (name, expected) => {
  it.each(Object.entries(expected))('reacts as its users know it: %s', async (key, reaction) => {
    const [fault, ms] = faults[key as keyof typeof faults]
    expect(await through(fault, ({ url }) => outcomeOf((clients[name] as Get)(url, ms)))).toBe(reaction)
  })
})

describe('ws through an HTTP proxy', () => {
  const talk = async (url: string): Promise<string> => {
    const socket = new WebSocket(url.replace('http', 'ws'))
    await once(socket, 'open')
    socket.send('hello')
    const [echoed] = (await once(socket, 'message')) as [Buffer]
    socket.close()
    await once(socket, 'close')
    return String(echoed)
  }

  it.each([
    ['talks, since an upgraded connection passes as bytes', undefined, 'hello'],
    ['learns the status', answerRequests({ statusCode: 503 }), 'Error: Unexpected server response: 503'],
    ['learns of a reset', abortRequests(), 'Error: read ECONNRESET'],
    ['waits until its answer comes', delayResponses({ delayMs: 20 }), 'hello'],
  ])('%s', async (_title, fault, outcome) => {
    expect(await through(fault, ({ url }) => talk(url).catch(String))).toBe(outcome)
  })
})
