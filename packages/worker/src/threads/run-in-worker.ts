import { injectedBy } from '@chaos/core'
import { isError, markInjected, onAbort, type AnyFunction, type InjectionContext } from '@chaos/core/authoring'
import { refuseSleeper } from './asleep.js'
import { exitOf } from './exit.js'
import { waitUntilStrike } from './strike-timing.js'
import { chooseWorkers, type WorkerSelection } from './selection.js'
import type { WorkerLike, WorkerTarget } from '../targets/workers.js'
import { inspectorOf } from './inspector.js'

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
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if a worker sleeps in `Atomics.wait`.
 */
export async function runInWorkers(
  strike: Strike,
  target: WorkerTarget,
  options: WorkerSelection & Parameters<typeof waitUntilStrike>[1],
  context: InjectionContext,
): Promise<void> {
  const chosen = await chooseWorkers(target, options, context)
  const operation = context.operation(strike.operation)
  await Promise.all(
    chosen
      .filter((worker) => operation.shouldInject([worker]))
      .map((worker) => runInOne(strike, worker, options, context)),
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
      inspector.evaluate(worker, inItsTurn(id, strike), { awaitPromise: true }).catch(() => false),
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

const WAITING = "globalThis[Symbol.for('@chaos/worker.waiting')]"

/** The timers inside the worker: those of Node.js if they are available without `require` (20.16, 22.3 and up), else the globals. */
const TIMERS = "(process.getBuiltinModule?.('node:timers') ?? globalThis)"

/** Runs the code in a turn of its own. Resolves to `true` if the worker still runs one turn later. */
const inItsTurn = (id: number, { code }: Strike): string => `new Promise((resolve) => {
  const waiting = (${WAITING} ??= new Set()).add(${id})
  const { setImmediate } = ${TIMERS}
  setImmediate(() => {
    if (!waiting.delete(${id})) return
    if (waiting.size === 0) delete ${WAITING}
    setImmediate(() => resolve(true))
    ${code}
  })
})`

const callOff = (id: number): string => `(() => {
  ${WAITING}?.delete(${id})
  if (${WAITING}?.size === 0) delete ${WAITING}
})()`
