import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import { Counter, Registry } from 'prom-client'
import { Findings } from '../load/findings.js'
import { Requests } from '../load/requests.js'

/** A server behind the front. */
interface Upstream {
  readonly name: string
  readonly url: string
}

/** What a server has answered, of the requests that were sent to it in some window. */
export interface Answers {
  readonly sent: number
  /** Answered with success in time. */
  readonly ok: number
}

/** One steady load on several servers, and the front's view of them. */
export interface Front {
  /** Where the counts are served in the format of Prometheus: `front_requests_total{server,outcome}`. */
  readonly metricsUrl: string
  /** What was sent to each server between two times of the wall clock, by its name. Requests under way are not counted. */
  answersBetween(from: number, to: number): ReadonlyMap<string, Answers>
  stop(): Promise<void>
}

/** Options of {@link startFront}. */
export interface FrontOptions {
  readonly servers: readonly Upstream[]
  /** The secret that tokens are signed with. */
  readonly secret: string
  /** Requests per second, over all servers. Default 30. */
  readonly perSecond?: number
  /** The longest wait for an answer, in ms. Then the request has failed. Default 2,000. */
  readonly timeoutMs?: number
}

interface Answered {
  readonly server: string
  readonly at: number
  readonly isOk: boolean
}

/** Users by turns, so that each stays below the limit of 100 requests in 10 s. */
const USERS = 4
/** The most requests that are sent at once after a delay. */
const MAX_BURST = 20
/** The answers that are remembered: some ten minutes of them. */
const MAX_ANSWERED = 20_000

/**
 * Sends requests to the servers by turns, a write and then a read of what was written, whether or not earlier ones were
 * answered. Nothing is sent again, so each failure is one that a user would see.
 */
export async function startFront({ servers, secret, perSecond = 30, timeoutMs = 2_000 }: FrontOptions): Promise<Front> {
  const key = new TextEncoder().encode(secret)
  const tokens = await Promise.all(
    Array.from({ length: USERS }, (_, user) =>
      new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(`user-${user}`).setExpirationTime('1h').sign(key),
    ),
  )
  const registry = new Registry()
  const counter = new Counter({
    name: 'front_requests_total',
    help: 'Requests to each server, by whether they were answered with success in time.',
    labelNames: ['server', 'outcome'],
    registers: [registry],
  })
  for (const { name } of servers) for (const outcome of ['ok', 'failed']) counter.inc({ server: name, outcome }, 0)
  const upstreams = servers.map(({ name, url }) => ({
    name,
    requests: new Requests(url, timeoutMs, new Findings()),
    written: undefined as string | undefined,
  }))
  const answered: Answered[] = []
  let isStopped = false
  let turn = 0

  async function send(): Promise<void> {
    const upstream = upstreams[turn % upstreams.length]
    const token = tokens[Math.floor(turn / upstreams.length) % USERS]
    turn += 1
    if (upstream === undefined || token === undefined) return
    const { name, requests, written } = upstream
    const at = Date.now()
    const answer = await (written === undefined
      ? requests.ask(token, 'POST', '/api/journal', { title: `Entry ${turn}`, content: 'Behind the front.' })
      : requests.ask(token, 'GET', `/api/journal/${written}`))
    if (isStopped) return
    const isOk = answer !== undefined && answer.status >= 200 && answer.status < 300
    upstream.written = isOk && written === undefined ? (answer.body as { readonly id: string }).id : undefined
    counter.inc({ server: name, outcome: isOk ? 'ok' : 'failed' })
    answered.push({ server: name, at, isOk })
    if (answered.length > MAX_ANSWERED) answered.shift()
  }

  const page = createServer((_request, response) => {
    void registry.metrics().then((text) => response.setHeader('content-type', registry.contentType).end(text))
  }).listen(0, '127.0.0.1')
  await once(page, 'listening')
  // By the time that has passed, not by ticks: a machine that is late for some must not thin out the load.
  const startedAt = performance.now()
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * perSecond
    for (let burst = 0; turn < due && burst < MAX_BURST; burst += 1) void send()
  }, 1_000 / perSecond)
  return {
    metricsUrl: `http://127.0.0.1:${(page.address() as AddressInfo).port}/metrics`,
    answersBetween(from, to) {
      const within = answered.filter(({ at }) => at >= from && at <= to)
      return new Map(
        servers.map(({ name }) => {
          const own = within.filter(({ server }) => server === name)
          return [name, { sent: own.length, ok: own.filter(({ isOk }) => isOk).length }]
        }),
      )
    },
    async stop() {
      isStopped = true
      clearInterval(timer)
      for (const { requests } of upstreams) requests.close()
      page.closeAllConnections()
      await new Promise((resolve) => page.close(resolve))
    },
  }
}
