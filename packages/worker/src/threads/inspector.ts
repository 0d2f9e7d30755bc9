import { Session } from 'node:inspector'
import { isMainThread } from 'node:worker_threads'
import { ChaosError } from '@chaos/core'
import { type InjectionContext } from '@chaos/core/authoring'
import { waitUntilOnline } from './wait-until-online.js'
import type { WorkerLike } from '../targets/workers.js'

/** The inspector's description of a worker. */
export interface InspectedWorker {
  readonly threadId: number
  /** The name given to `new Worker`. Without one: `''`, or `WorkerThread` on Node.js 24 and up. */
  readonly name: string
}

/** Runs code inside workers without their cooperation. Opens no port. */
export interface Inspector {
  /**
   * Evaluates an expression in a worker as soon as it is online, even while it is busy.
   *
   * @param options.awaitPromise Whether to wait for a returned promise, which needs turns of the worker's event loop. Default `false`.
   * @param options.withRequire Whether the expression may use `require`. Default `false`: if the worker ends while the
   *   inspector provides it, the whole process crashes (a segmentation fault, seen on Node.js 18 and 20).
   * @returns The value, converted by JSON.
   * @throws ChaosError `CHAOS_NO_LIVE_WORKER` if the worker exits or the injection ends before the answer; an `Error` with the
   *   message of the error that the expression threw.
   */
  evaluate(
    worker: WorkerLike,
    expression: string,
    options?: { readonly awaitPromise?: boolean; readonly withRequire?: boolean },
  ): Promise<unknown>
  /** Returns the worker with this thread id, once the inspector has attached to it. */
  find(threadId: number): Promise<InspectedWorker>
}

interface Attached extends InspectedWorker {
  readonly sessionId: string
}

interface Answer {
  readonly id?: number
  readonly result?: {
    readonly result?: { readonly value?: unknown }
    readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } }
  }
}

interface Waiting {
  readonly resolve: (worker: Attached) => void
  readonly reject: (error: unknown) => void
}

interface Pending {
  readonly sessionId: string
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

const opened = new WeakMap<InjectionContext, Inspector>()

/** Returns the inspector of an injection: one session for all workers of this process, closed when the injection ends. */
export function inspectorOf(context: InjectionContext): Inspector {
  let inspector = opened.get(context)
  if (inspector === undefined) opened.set(context, (inspector = openInspector(context)))
  return inspector
}

/** Opens a session. Inside a worker it connects to the main thread, which knows all workers. */
function openInspector(context: InjectionContext): Inspector {
  const session = new Session()
  if (isMainThread) session.connect()
  else session.connectToMainThread()

  const attached = new Map<number, Attached>()
  const waiting = new Map<number, Waiting[]>()
  const pending = new Map<number, Pending>()
  let lastId = 0

  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
    const worker = { sessionId, ...parseTitle(workerInfo.title) }
    attached.set(worker.threadId, worker)
    for (const { resolve } of waiting.get(worker.threadId) ?? []) resolve(worker)
    waiting.delete(worker.threadId)
  })
  session.on('NodeWorker.detachedFromWorker', ({ params: { sessionId } }) => {
    for (const [threadId, worker] of attached) if (worker.sessionId === sessionId) attached.delete(threadId)
    for (const [id, one] of pending) {
      if (one.sessionId !== sessionId) continue
      pending.delete(id)
      one.reject(gone())
    }
  })
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const answer = JSON.parse(params.message) as Answer
    if (answer.id === undefined) return
    pending.get(answer.id)?.resolve(answer)
    pending.delete(answer.id)
  })
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })

  const find = (threadId: number): Promise<Attached> =>
    new Promise((resolve, reject) => {
      const worker = attached.get(threadId)
      if (worker !== undefined) resolve(worker)
      else waiting.set(threadId, [...(waiting.get(threadId) ?? []), { resolve, reject }])
    })

  async function evaluate(
    worker: WorkerLike,
    expression: string,
    { awaitPromise = false, withRequire = false } = {},
  ): Promise<unknown> {
    const { threadId } = worker
    if (!(await waitUntilOnline(worker, context.signal))) throw gone()
    const { sessionId } = await find(threadId)
    const id = (lastId += 1)
    const message = JSON.stringify({
      id,
      method: 'Runtime.evaluate',
      params: { expression, includeCommandLineAPI: withRequire, returnByValue: true, awaitPromise },
    })
    const { result } = await new Promise<Answer>((resolve, reject) => {
      pending.set(id, { sessionId, resolve, reject })
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message }, (error) => {
        if (error !== null) reject(gone(error))
      })
    })
    const thrown = result?.exceptionDetails
    if (thrown !== undefined) throw new Error(thrown.exception?.description ?? thrown.text)
    return result?.result?.value
  }

  context.defer(() => {
    session.disconnect()
    for (const { reject } of [...pending.values(), ...[...waiting.values()].flat()]) reject(gone())
  })
  return { evaluate, find }
}

/** Parses `[worker 7] its name`, or `Worker 7` on the first releases of Node.js 18. */
export function parseTitle(title: string): InspectedWorker {
  const [, threadId = '', name = ''] = /^\[?worker (\d+)\]?\s?(.*)$/is.exec(title) ?? []
  return { threadId: Number(threadId), name }
}

const gone = (cause?: unknown): ChaosError =>
  new ChaosError(
    'CHAOS_NO_LIVE_WORKER',
    'The worker exited before it answered. Inject the fault while the worker is alive.',
    { cause },
  )
