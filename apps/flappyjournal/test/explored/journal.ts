import { delayCalls, failAfterCall, hangCalls, refuseCalls } from '@chaos/adapter'
import { defineFault } from '@chaos/core/authoring'
import { delayEvents, dropEvents, duplicateEvents } from '@chaos/eventbus'
import { terminateWorker } from '@chaos/worker'
import { assembleApp, type App } from '../../src/app.js'
import { configFrom } from '../../src/config.js'
import { MemoryAdapter } from '../../src/storage/memory-adapter.js'
import { SECRET, token } from '../start.js'
import type { SharedLoop } from './shared-loop.js'
import { virtualTime, type VirtualTime } from './virtual-time.js'

/** What a request was answered. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

type Request = readonly [method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object]

/** The requests of a client. Each is an operation that faults can hit. */
export class Client {
  readonly #send: (...request: Request) => Promise<Answer>
  constructor(send: (...request: Request) => Promise<Answer>) {
    this.#send = send
  }
  async post(entry: object): Promise<Answer> {
    return this.#send('POST', '/api/journal', entry)
  }
  async get(id: string): Promise<Answer> {
    return this.#send('GET', `/api/journal/${id}`)
  }
  async put(id: string, entry: object): Promise<Answer> {
    return this.#send('PUT', `/api/journal/${id}`, entry)
  }
  async delete(id: string): Promise<Answer> {
    return this.#send('DELETE', `/api/journal/${id}`)
  }
  async list(): Promise<Answer> {
    return this.#send('GET', '/api/journal')
  }
  async health(): Promise<Answer> {
    return this.#send('GET', '/healthz')
  }
}

/** The journal of one run. */
export interface Journal {
  readonly app: App
  readonly backend: MemoryAdapter
  readonly http: Client
  readonly time: VirtualTime
  /** Waits until the app had the time to recover: the breaker to close, kept writes to be replayed, the loop to be back. */
  recover(): Promise<void>
}

/** Ticks come by time and not by request, and change nothing. */
const NEVER_MS = 2 ** 31 - 1
/** Longer than the breaker stays open, and than the pause between its probes, in ms. */
const RECOVERY_MS = 4_000

/** Builds a journal in memory and in virtual time. */
export async function makeJournal(loop: SharedLoop, signal: () => AbortSignal): Promise<Journal> {
  const time = virtualTime()
  const backend = new MemoryAdapter()
  const bearer = `Bearer ${await token()}`
  let handled = 0
  let onHandled = (): void => undefined
  const app = await assembleApp(
    configFrom({ JWT_SECRET: SECRET, FLAPPY_WINDOWS: 'demo' }),
    ({ server }) => {
      // Tokens are checked in a thread: no virtual time passes meanwhile.
      server.addHook('preHandler', (_request, _reply, done) => {
        handled += 1
        onHandled()
        done()
      })
      server.addHook('onSend', (_request, _reply, payload, done) => {
        handled -= 1
        done(null, payload)
      })
      return Promise.resolve({ ruleFiles: [] })
    },
    { time, backend, loop: loop.supervisor, tickMs: NEVER_MS },
  )
  await app.server.ready()
  const http = new Client(async (method, url, body) => {
    await loop.killed()
    const isHandled = new Promise<void>((resolve) => (onHandled = resolve))
    const request = app.server.inject({
      method,
      url,
      headers: { authorization: bearer, 'idempotency-key': 'entry 1' },
      ...(body === undefined ? {} : { payload: body }),
    })
    await Promise.race([isHandled, request])
    const { statusCode, payload } = await time.drive(request, () => handled > 0, signal())
    await loop.untilUp(signal())
    return { status: statusCode, body: payload === '' ? undefined : (JSON.parse(payload) as unknown) }
  })
  return {
    app,
    backend,
    http,
    time,
    async recover() {
      await time.pass(RECOVERY_MS)
      await loop.untilUp(signal())
    },
  }
}

/** The faults of each target. Delays are longer than who waits has patience: a request 5 s, a storage call 1 s. */
export const faultsOf = (loop: SharedLoop) => {
  const killLoop = defineFault({
    name: 'journal/kill-loop',
    kind: 'instant',
    summary: 'Kills the loop worker at a request.',
    options: {},
    target: { expects: 'a client', accepts: (target): target is Client => target instanceof Client },
    inject: (_client, _options, context) => loop.kill((workers) => terminateWorker().inject(workers, context)),
  })
  return {
    http: [failAfterCall, refuseCalls, killLoop],
    adapter: [failAfterCall, refuseCalls, hangCalls, delayCalls({ delayMs: 1_500 })],
    // One event that is held up while others pass it is also what `reorderEvents` does to one event.
    bus: [dropEvents, delayEvents({ delayMs: 6_000, order: 'free' }), duplicateEvents],
  }
}
