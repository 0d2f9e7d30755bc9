import { AsyncLocalStorage } from 'node:async_hooks'
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Below } from '@chaos/core/authoring'
import type { Begun, Steps } from '../../seams/bus.js'

/** A request of kafkajs that its queue sends, now or later. */
interface Pushed {
  readonly entry: { readonly apiKey: number }
  sendRequest(): void
}
interface Connection {
  readonly socket?: Duplex
}

/** The number of the request that produces messages. */
const PRODUCE = 0

/** A request that its queue has sent and that has not left yet: its timeout runs. */
interface Waiting {
  readonly write: () => void
  /** Whether the connection of the request still stands. */
  readonly isAlive: () => boolean
}

/** Keeps the requests of one call, and of its retries, from leaving. */
class Gate {
  readonly #waiting: Waiting[] = []
  #isOpen = false

  pass(request: Waiting): void {
    if (this.#isOpen) request.write()
    else this.#waiting.push(request)
  }
  open(): void {
    this.#isOpen = true
    for (const request of this.#waiting.splice(0)) if (request.isAlive()) request.write()
  }
  isWaiting(): boolean {
    return this.#waiting.some((request) => request.isAlive())
  }
}

/** The call whose requests are kept, and the connection on which it sends. */
interface Keeping {
  readonly gate: Gate
  readonly connection?: Connection
}

/** Begins a call of a producer and keeps its requests from leaving. */
export type BeginCall = (call: () => Promise<unknown>) => Begun

/**
 * Reaches the requests of kafkajs where its connections write them: beneath its timeouts and retries.
 *
 * A producer is a set of closures, so the classes behind it are taken from the module cache.
 *
 * @returns `undefined` if kafkajs is bundled into the application or loaded by other means, or the producer is not its own.
 */
export function keepRequests(producer: object, steps: Steps): BeginCall | undefined {
  const classes = classesOf(producer)
  if (classes === undefined) return undefined
  const current = new AsyncLocalStorage<Keeping>()
  steps.defer(() => current.disable())
  steps.patch(classes.connection, 'send', (below) => {
    return function send(this: Connection, ...args: readonly unknown[]): unknown {
      const keeping = current.getStore()
      const run = (): unknown => below.call.apply(this, args) as unknown
      return keeping === undefined ? run() : current.run({ ...keeping, connection: this }, run)
    }
  })
  steps.patch(classes.queue, 'push', (below) => pushing(below, () => current.getStore()))
  return (call) => begun(new Gate(), (gate) => current.run({ gate }, call))
}

const pushing = (below: Below, keepingNow: () => Keeping | undefined) =>
  function push(this: unknown, pushed: Pushed, ...rest: readonly unknown[]): unknown {
    const keeping = keepingNow()
    if (keeping === undefined || pushed.entry.apiKey !== PRODUCE)
      return below.call.call(this, pushed, ...rest) as unknown
    const { gate, connection } = keeping
    const socket = connection?.socket
    const request: Waiting = {
      write: () => pushed.sendRequest(),
      isAlive: () => connection?.socket === socket && socket?.writable === true,
    }
    return below.call.call(this, { ...pushed, sendRequest: () => gate.pass(request) }, ...rest) as unknown
  }

function begun(gate: Gate, start: (gate: Gate) => Promise<unknown>): Begun {
  let isOver = false
  const answer = start(gate)
  const over = (): void => {
    isOver = true
  }
  answer.then(over, over)
  return {
    answer,
    send: () => gate.open(),
    isGone: () => isOver && !gate.isWaiting(),
  }
}

const { cache } = createRequire(import.meta.url)

const exportsOf = (path: string): unknown => cache[path]?.exports

/** A file of kafkajs whose exports every producer shows. */
const EVENTS = join(sep, 'node_modules', 'kafkajs', 'src', 'producer', 'instrumentationEvents.js')

/** The prototypes of the private classes in the copy of kafkajs that has made a producer. */
function classesOf(producer: object): { readonly connection: object; readonly queue: object } | undefined {
  const shown: unknown = Reflect.get(producer, 'events')
  const file = Object.keys(cache).find(
    (path) => path.endsWith(EVENTS) && (exportsOf(path) as { readonly events?: unknown }).events === shown,
  )
  if (shown === undefined || file === undefined) return undefined
  const network = join(file, '..', '..', 'network')
  const [connection, queue] = ['connection.js', join('requestQueue', 'index.js')].map((name) =>
    exportsOf(join(network, name)),
  )
  return typeof connection === 'function' && typeof queue === 'function'
    ? { connection: connection.prototype as object, queue: queue.prototype as object }
    : undefined
}
