import { createServer, type Server } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { SignJWT } from 'jose'
import WebSocket from 'ws'

/** What the load has seen so far. */
export interface Accounts {
  /** Entries that the journal answered with 201. */
  readonly acknowledged: number
  /** Acknowledged entries that were missing, or had another title, when they were last looked for. `undefined` before the first look. */
  readonly lost: number | undefined
  readonly requests: number
  /** Answers with a status of 500 or more, and requests without an answer. */
  readonly failed: number
  /** Events that came over the WebSockets. */
  readonly pushed: number
  /** The load generator's own event loop delay, 99th percentile in ms: how far its figures can be trusted. */
  readonly ownDelayMs: number
}

/** Steady traffic on a running journal. */
export interface Load {
  /** Where the accounts are served as JSON; `?look` looks for every acknowledged entry first. */
  readonly url: string
  accounts(): Accounts
  /** Looks for every acknowledged entry. */
  look(): Promise<Accounts>
  /** Starts counting anew; entries acknowledged so far are still looked for. */
  reset(): void
  stop(): Promise<void>
}

/** Options of {@link startLoad}. */
export interface LoadOptions {
  /** Where the journal answers: `http://127.0.0.1:3000`. */
  readonly url: string
  /** The secret its tokens are signed with. */
  readonly secret: string
  /** Users, each with a connection and a pace of its own. Default 6. */
  readonly users?: number
  /** Pause of each user between two requests, in ms. Default 200: below the limit of 100 requests in 10 s per user. */
  readonly paceMs?: number
}

/** Longest wait for an answer, in ms: beyond it a request counts as failed. */
const REQUEST_TIMEOUT_MS = 15_000

/** Entries that one user looks for: below the limit of 100 requests in 10 s. */
const LOOKS_PER_USER = 80

/** Puts steady load on a journal: each user writes, reads what was written, lists, and listens on a WebSocket. */
export async function startLoad({ url, secret, users = 6, paceMs = 200 }: LoadOptions): Promise<Load> {
  const titles = new Map<string, string>()
  const counts = { acknowledged: 0, requests: 0, failed: 0, pushed: 0 }
  let lost: number | undefined
  const state = { isRunning: true }
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()

  const key = new TextEncoder().encode(secret)
  const tokenOf = (user: string): Promise<string> => new SignJWT({ name: user }).setProtectedHeader({ alg: 'HS256' }).setSubject(user).setIssuedAt().setExpirationTime('1h').sign(key)

  async function ask(token: string, method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    counts.requests += 1
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      })
      if (response.status >= 500) counts.failed += 1
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
    } catch {
      if (state.isRunning) counts.failed += 1
      return { status: 0, body: undefined }
    }
  }

  async function write(token: string, user: string, turn: number): Promise<void> {
    const title = `${user} ${turn}`
    const { status, body } = await ask(token, 'POST', '/api/journal', { title, content: `Entry ${turn} of ${user}.`, tags: ['load'] })
    if (status !== 201) return
    counts.acknowledged += 1
    titles.set((body as { id: string }).id, title)
  }

  async function readBack(token: string): Promise<void> {
    const ids = [...titles.keys()].slice(-50)
    const id = ids[Math.floor(ids.length / 2)]
    await (id === undefined ? ask(token, 'GET', '/api/journal') : ask(token, 'GET', `/api/journal/${id}`))
  }

  async function user(name: string, offsetMs: number): Promise<void> {
    const token = await tokenOf(name)
    await pause(offsetMs)
    for (let turn = 0; state.isRunning; turn += 1) {
      await (turn % 2 === 0 ? write(token, name, turn) : readBack(token))
      await pause(paceMs)
    }
  }

  async function listen(name: string): Promise<void> {
    const token = await tokenOf(name)
    while (state.isRunning) {
      const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, { headers: { authorization: `Bearer ${token}` } })
      sockets.add(socket)
      socket.on('message', () => (counts.pushed += 1))
      await new Promise<void>((resolve) => socket.on('error', () => resolve()).on('close', () => resolve()))
      sockets.delete(socket)
      await pause(500)
    }
  }
  const sockets = new Set<WebSocket>()

  function accounts(): Accounts {
    return { ...counts, lost, ownDelayMs: Math.max(0, delay.percentile(99) / 1e6 - 10) }
  }

  /** Looks for what has been acknowledged until now; what comes meanwhile is for the next look. */
  async function look(): Promise<Accounts> {
    const expected = [...titles]
    let missing = 0
    // Each looker has a token of its own and stays below the limit of requests per user.
    const shares = Array.from({ length: Math.ceil(expected.length / LOOKS_PER_USER) }, (_, index) => expected.slice(index * LOOKS_PER_USER, (index + 1) * LOOKS_PER_USER))
    const run = Date.now()
    for (const [index, share] of shares.entries()) {
      const token = await tokenOf(`looker-${run}-${index}`)
      for (const [id, title] of share) {
        const { status, body } = await ask(token, 'GET', `/api/journal/${id}`)
        if (status !== 200 || (body as { title?: string }).title !== title) missing += 1
      }
    }
    lost = missing
    return accounts()
  }

  const server = await serveAccounts(accounts, look)
  const working = [...Array.from({ length: users }, (_, index) => user(`user-${index}`, (index * paceMs) / users)), listen('listener')]
  return {
    url: addressOf(server),
    accounts,
    look,
    reset() {
      for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] = 0
      lost = undefined
      delay.reset()
    },
    async stop() {
      state.isRunning = false
      for (const socket of sockets) socket.terminate()
      await Promise.all(working)
      delay.disable()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function serveAccounts(accounts: () => Accounts, look: () => Promise<Accounts>): Promise<Server> {
  const server = createServer((request, response) => {
    void (request.url?.includes('look') === true ? look() : Promise.resolve(accounts())).then(
      (figures) => response.setHeader('content-type', 'application/json').end(JSON.stringify(figures)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function addressOf(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('Expected the accounts to be served on a port.')
  return `http://127.0.0.1:${address.port}`
}
