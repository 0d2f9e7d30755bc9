import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { createServer, type Server } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { Findings } from './load/findings.js'
import { listen } from './load/listener.js'
import { Oracle, excerpt, type Draft } from './load/oracle.js'
import { OwnDelay } from './load/own-delay.js'
import type { LoadReport } from './load/report.js'
import { Requests } from './load/requests.js'

export type { LoadReport } from './load/report.js'

/** Steady traffic on a running journal. */
export interface Load {
  /** Where the report is served as JSON; with `?look` the oracle looks at everything first. */
  readonly url: string
  report(): LoadReport
  /** Reads every entry that has been acknowledged until now, and the list, and waits for their pushes. */
  look(): Promise<LoadReport>
  stop(): Promise<void>
}

/** Options of {@link startLoad}. */
export interface LoadOptions {
  /** Where the journal answers: `http://127.0.0.1:3000`. */
  readonly url: string
  /** The secret its tokens are signed with. */
  readonly secret: string
  /** Users, each with a pace of its own. Default 6. */
  readonly users?: number
  /** Time between two requests of a user, in ms, however long the answers take. Default 200: below the limit of 100 requests in 10 s per user. */
  readonly paceMs?: number
  /** Time between two readings of the list, in ms. Default 5,000. */
  readonly listEveryMs?: number
  /** Longest time from an acknowledgement to its push, in ms. Default 5,000. */
  readonly pushWithinMs?: number
  /** Longest wait for an answer, in ms: beyond it a request has failed. Default 15,000. */
  readonly requestTimeoutMs?: number
  /** The port of its report. Default 0, a free one. */
  readonly port?: number
  /** A look that has not come to its end after so long, in ms, is given up; nothing is verified then. Default 45,000. */
  readonly lookTimeoutMs?: number
}

/** Beyond so many requests under way no more are sent. */
const MAX_UNDER_WAY = 500
/** Entries that one user looks for: below the limit of 100 requests in 10 s. */
const LOOKS_PER_USER = 80
/** Entries that are looked for at the same time. */
const LOOKS_AT_ONCE = 4
/** How often a look asks whether the pushes it waits for have come, in ms. */
const AWAIT_PUSHES_MS = 50
const MOODS = ['neutral', 'bright', 'tired']

/**
 * Puts steady load on a journal. Each user writes and reads at a pace of its own, whether or not earlier requests were answered: an app that hangs
 * must not silence its own load. One listener hears what is pushed. An oracle compares whatever is read or pushed with what was acknowledged.
 */
export async function startLoad({
  url,
  secret,
  users = 6,
  paceMs = 200,
  listEveryMs = 5_000,
  pushWithinMs = 5_000,
  requestTimeoutMs = 15_000,
  lookTimeoutMs = 45_000,
  port = 0,
}: LoadOptions): Promise<Load> {
  const findings = new Findings()
  const oracle = new Oracle(findings, pushWithinMs)
  const requests = new Requests(url, requestTimeoutMs, findings)
  const delay = new OwnDelay()
  const closing = new AbortController()
  // Each user waits on it.
  setMaxListeners(0, closing.signal)
  const run = randomUUID().slice(0, 8)
  let verified = 0

  // Tokens say nothing of when they were made, and last long: the app's clock may differ from this one.
  const key = new TextEncoder().encode(secret)
  const tokenOf = (user: string): Promise<string> =>
    new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(user).setExpirationTime('48h').sign(key)

  async function write(token: string, user: string, turn: number): Promise<void> {
    const draft: Draft = {
      title: `${user} ${turn} of ${run}`,
      content: `Entry ${turn} of ${user}.`,
      tags: ['load', user],
      mood: MOODS[turn % MOODS.length] ?? 'neutral',
    }
    const sent = oracle.sent(draft)
    const answer = await requests.ask(token, 'POST', '/api/journal', draft)
    if (answer === undefined || answer.status < 200 || answer.status > 299) return
    if (typeof (answer.body as { readonly id?: unknown } | null | undefined)?.id === 'string')
      oracle.acknowledged(sent, answer.body)
    else
      findings.add(
        'failed',
        `POST /api/journal was answered with ${answer.status} and without an id: ${excerpt(answer.body)}`,
      )
  }

  /** @returns Whether the answer tells if the entry is there. */
  async function read(token: string, id: string): Promise<boolean> {
    const answer = await requests.ask(token, 'GET', `/api/journal/${id}`)
    if (answer?.status === 404) oracle.compare(id, undefined)
    else if (answer?.status === 200) oracle.compare(id, answer.body ?? null)
    else return false
    return true
  }

  /** @returns How many entries it was compared with; 0 if it could not be read. */
  async function readList(token: string): Promise<number> {
    const expected = oracle.entries
    const answer = await requests.ask(token, 'GET', '/api/journal')
    if (answer?.status !== 200) return 0
    if (!Array.isArray(answer.body)) {
      findings.add('failed', `GET /api/journal was answered with ${excerpt(answer.body)}, which is no list`)
      return 0
    }
    await oracle.compareList(expected, answer.body)
    return expected.length
  }

  /** Reads the newest entry, and each other one in turn. */
  let cursor = 0
  async function readBack(token: string, turn: number): Promise<void> {
    const { entries } = oracle
    const entry = turn % 4 === 1 ? entries.at(-1) : entries[(cursor += 1) % Math.max(1, entries.length)]
    if (entry !== undefined) await read(token, entry.id)
  }

  /** Does something again and again at a fixed pace. */
  async function repeat(everyMs: number, offsetMs: number, act: (turn: number) => Promise<void>): Promise<void> {
    let next = performance.now() + offsetMs
    for (let turn = 0; ; turn += 1) {
      await pause(Math.max(0, next - performance.now()), undefined, { signal: closing.signal }).catch(() => undefined)
      if (closing.signal.aborted) return
      if (requests.underWay < MAX_UNDER_WAY) void act(turn)
      // What this process was late by is not made up for.
      next = Math.max(next + everyMs, performance.now())
    }
  }

  async function user(name: string, offsetMs: number): Promise<void> {
    const token = await tokenOf(name)
    await repeat(paceMs, offsetMs, (turn) => (turn % 2 === 0 ? write(token, name, turn) : readBack(token, turn)))
  }

  async function lister(): Promise<void> {
    const token = await tokenOf('lister')
    await repeat(listEveryMs, listEveryMs, async () => {
      await readList(token)
    })
  }

  function report(ownDelayMs = delay.peek()): LoadReport {
    oracle.expire()
    return {
      at: Date.now(),
      requests: requests.sent,
      acknowledged: oracle.size,
      ...findings.counts(),
      underWay: requests.underWay,
      oldestUnderWayMs: requests.oldestMs,
      verified,
      ownDelayMs,
      offenders: findings.offenders(),
    }
  }

  async function lookOnce(over: AbortSignal): Promise<void> {
    const expected = oracle.entries
    const looker = `looker-${randomUUID()}`
    let compared = 0
    const queue = [...expected.entries()]
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined && !over.aborted; next = queue.shift()) {
        const [index, { id }] = next
        if (await read(await tokenOf(`${looker}-${Math.floor(index / LOOKS_PER_USER)}`), id)) compared += 1
      }
    }
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, work))
    const listed = await readList(await tokenOf(looker))
    while (!over.aborted && oracle.isAwaiting(expected)) await pause(AWAIT_PUSHES_MS)
    if (!over.aborted) verified = Math.min(compared, listed)
  }
  let looking: Promise<void> | undefined
  /** Offenders of one look are not those of the next. */
  async function look(takeDelay: () => number = () => delay.peek()): Promise<LoadReport> {
    await looking
    const over = AbortSignal.any([closing.signal, AbortSignal.timeout(lookTimeoutMs)])
    const isOver = new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true }))
    looking = Promise.race([lookOnce(over), isOver])
    await looking
    if (over.aborted) verified = 0
    const found = report(takeDelay())
    findings.forgetOffenders()
    return found
  }

  const takeDelay = (): number => delay.take()
  const server = await serveReports(port, (isLook) => (isLook ? look(takeDelay) : Promise.resolve(report(takeDelay()))))
  const stopListening = listen(url, await tokenOf('listener'), oracle)
  const working = [
    ...Array.from({ length: users }, (_, index) => user(`user-${index}`, (index * paceMs) / users)),
    lister(),
  ]
  return {
    url: addressOf(server),
    report: () => report(),
    look: () => look(),
    async stop() {
      closing.abort()
      requests.close()
      await stopListening()
      await Promise.all(working)
      delay.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function serveReports(port: number, answer: (isLook: boolean) => Promise<LoadReport>): Promise<Server> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://load')
    void answer(searchParams.has('look')).then(
      (report) => response.setHeader('content-type', 'application/json').end(JSON.stringify(report)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return server
}

function addressOf(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new TypeError('Expected the reports to be served on a port.')
  return `http://127.0.0.1:${address.port}`
}
