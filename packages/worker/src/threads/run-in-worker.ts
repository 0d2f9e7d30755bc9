import { randomUUID } from 'node:crypto'
import { BroadcastChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { injectedBy } from '@chaos/core'
import { isError, markInjected, onAbort, type AnyFunction, type InjectionContext } from '@chaos/core/authoring'
import { refuseSleeper } from './asleep.js'
import { exitOf } from './exit.js'
import { endedFirst, strikeEach } from './strike-each.js'
import { waitUntilStrike } from './strike-timing.js'
import { chooseWorkers, type WorkerSelection } from './selection.js'
import type { WorkerLike, WorkerTarget } from '../targets/workers.js'
import { inspectorOf } from './inspector.js'
import { TIMERS } from './timers.js'

/** Code that ends a worker from the inside. */
export interface Strike {
  /** The name of the operation. */
  readonly operation: string
  /** The name of the fault, with which the errors that the `Worker` emits are marked. */
  readonly fault: string
  /** Statements that run in the worker, in a turn of their own. */
  readonly code: string
}

/** How long to wait for the exit of a worker that still runs one turn after the strike, in ms. */
const GRACE_MS = 500

let lastStrike = 0

/**
 * Runs code that ends a worker inside each chosen worker, and waits for its `exit`. The evidence holds the exit code and the
 * error that the `Worker` emitted.
 *
 * The code runs in a turn of the worker's own event loop and never interrupts running code: on Node.js 18, ending a worker
 * in the middle of `Atomics.wait` crashes the whole process. A worker that does not yield before the lease ends is left alone.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if a worker sleeps in `Atomics.wait`, `CHAOS_NO_LIVE_WORKER` if each worker ended
 *   before the code ran.
 */
export async function runInWorkers(
  strike: Strike,
  target: WorkerTarget,
  options: WorkerSelection & Parameters<typeof waitUntilStrike>[1],
  context: InjectionContext,
): Promise<void> {
  const chosen = await chooseWorkers(target, options, context)
  const operation = context.operation(strike.operation)
  await strikeEach(
    chosen.filter((worker) => operation.shouldInject([worker])),
    (worker) => runInOne(strike, worker, options, context),
  )
}

async function runInOne(
  strike: Strike,
  worker: WorkerLike,
  options: Parameters<typeof waitUntilStrike>[1],
  context: InjectionContext,
): Promise<void> {
  const { threadId } = worker
  const { clock, signal, landed, defer } = context
  const inspector = inspectorOf(context)
  const heard = errorsOf(strike, worker, context)
  const begun = beginningOf(context)
  let struckAt = clock.now()
  const strikeAndSurvive = async (): Promise<undefined> => {
    await waitUntilStrike(worker, options, context)
    struckAt = clock.now()
    const id = (lastStrike += 1)
    // If the worker has not yielded when the injection ends, the strike is called off.
    defer(async () => {
      if (worker.threadId !== -1) await inspector.evaluate(worker, callOff(id)).catch(() => undefined)
    })
    const isAlive = await Promise.race([
      inspector.evaluate(worker, inItsTurn(id, strike, begun.channel), { awaitPromise: true }).catch(() => false),
      refuseSleeper(worker, context),
    ])
    await new Promise<void>((resolve) => {
      if (isAlive !== true) return
      const cancel = clock.after(GRACE_MS, () => {
        ignoreSignal()
        resolve()
      })
      const ignoreSignal = onAbort(signal, cancel)
    })
    return undefined
  }
  const exit = await Promise.race([exitOf(worker, context), strikeAndSurvive()])
  if (exit !== undefined && !begun.isHeard()) throw endedFirst(`Worker thread ${threadId}`, `exit code ${exit[0]}`)
  landed({
    threadId,
    ...(exit === undefined ? { survived: true } : { exitCode: exit[0] }),
    ...(heard.message === undefined ? {} : { error: heard.message }),
    tookMs: clock.now() - struckAt,
  })
}

/** Marks the error that the `Worker` emits as injected, and keeps its message. */
function errorsOf(
  { fault }: Strike,
  worker: WorkerLike & { readonly emit?: AnyFunction },
  { patch }: InjectionContext,
): { readonly message: string | undefined } {
  const heard: { message: string | undefined } = { message: undefined }
  if (worker.emit === undefined) return heard
  patch(
    worker,
    'emit',
    (below) =>
      function emit(this: unknown, ...args: unknown[]): unknown {
        const [event, error] = args
        if (event === 'error' && isError(error) && injectedBy(error) === undefined) {
          markInjected(error, fault)
          heard.message = error.message
        }
        return Reflect.apply(below.call, this, args)
      },
  )
  return heard
}

/**
 * Hears from inside a worker that the code begins. A worker that has nothing left to do exits by itself, and its exit alone
 * does not say why.
 */
function beginningOf({ defer }: InjectionContext): { readonly channel: string; readonly isHeard: () => boolean } {
  const name = `@chaos/worker.strike.${randomUUID()}`
  const channel = new BroadcastChannel(name)
  channel.unref()
  let isHeard = false
  channel.onmessage = () => (isHeard = true)
  defer(() => channel.close())
  // The exit may be reported before a message that was sent earlier. Node.js reads a channel as well, which its types do not say.
  return {
    channel: name,
    isHeard: () => isHeard || receiveMessageOnPort(channel as unknown as MessagePort) !== undefined,
  }
}

const WAITING = "globalThis[Symbol.for('@chaos/worker.waiting')]"

/** Runs the code in a turn of its own. Resolves to `true` if the worker still runs one turn later. */
const inItsTurn = (id: number, { code }: Strike, channel: string): string => `new Promise((resolve) => {
  const waiting = (${WAITING} ??= new Set()).add(${id})
  const { setImmediate } = ${TIMERS}
  setImmediate(() => {
    if (!waiting.delete(${id})) return
    if (waiting.size === 0) delete ${WAITING}
    setImmediate(() => resolve(true))
    const begins = new BroadcastChannel('${channel}')
    begins.postMessage(true)
    begins.close()
    ${code}
  })
})`

const callOff = (id: number): string => `(() => {
  ${WAITING}?.delete(${id})
  if (${WAITING}?.size === 0) delete ${WAITING}
})()`
