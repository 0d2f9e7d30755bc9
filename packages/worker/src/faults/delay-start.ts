import { Session } from 'node:inspector'
import { ChaosError, defineFault, option, optionsSchema, type OptionsInput } from '@chaos/core'
import { isMainThread } from 'node:worker_threads'
import { parseTitle } from '../inside/inspector.js'
import { interceptStarts, isWorkerThreads, WORKER_THREADS, type WorkerThreads } from '../targets/starts.js'

const schema = optionsSchema({
  delayMs: option.optional(option.durationMs('How long a new worker takes before its code runs, in ms. Default: until the fault ends, it never becomes ready.')),
})

/** Options of {@link delayStart}: `delayMs`; without it new workers never become ready while the fault is in force. */
export type DelayStartOptions = OptionsInput<typeof schema>

/**
 * Makes new workers slow to start, or never ready.
 *
 * Models a machine under load, a huge module graph, a worker that hangs while it connects. The thread is there and has an id, but none of
 * its code has run: no `online`, no message; what is posted to it waits. When the fault ends it starts. An operation is a `new Worker`,
 * named `start`.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` inside a worker: workers can be held from the main thread only
 */
export const delayStart = defineFault({
  name: 'worker/delay-start',
  kind: 'standing',
  summary: 'Makes new workers slow to start, or never ready.',
  schema,
  expects: WORKER_THREADS,
  accepts: isWorkerThreads,
  inject(workerThreads: WorkerThreads, { delayMs = Number.POSITIVE_INFINITY }, context) {
    if (!isMainThread) throw new ChaosError('CHAOS_TARGET_MISMATCH', 'Expected the main thread, got a worker: new workers can be held from the main thread only.')
    const gate = openGate()
    context.defer(gate.close)
    const operation = context.operation('start')
    interceptStarts(workerThreads, context, (args, construct) => {
      const isChosen = operation.shouldInject(args)
      const worker = construct(args)
      if (isChosen) context.hold({ afterMs: delayMs, run: gate.hold(worker.threadId) })
      return worker
    })
  },
})

interface Gate {
  /** Keeps a worker from starting. @returns Lets it start. */
  readonly hold: (threadId: number) => () => void
  readonly close: () => void
}

/** Makes each new worker wait for the inspector before its code runs; those that are not held go on at once. */
function openGate(): Gate {
  const session = new Session()
  session.connect()
  const held = new Set<number>()
  const waiting = new Map<number, string>()
  const letGo = (sessionId: string): void => session.post('NodeWorker.sendMessageToWorker', { sessionId, message: '{"id":1,"method":"Runtime.runIfWaitingForDebugger"}' })
  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo, waitingForDebugger } }) => {
    if (!waitingForDebugger) return
    const { threadId } = parseTitle(workerInfo.title)
    if (held.has(threadId)) waiting.set(threadId, sessionId)
    else letGo(sessionId)
  })
  session.on('NodeWorker.detachedFromWorker', ({ params: { sessionId } }) => {
    for (const [threadId, known] of waiting) if (known === sessionId) waiting.delete(threadId)
  })
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: true })
  return {
    hold(threadId) {
      held.add(threadId)
      return () => {
        held.delete(threadId)
        const sessionId = waiting.get(threadId)
        waiting.delete(threadId)
        if (sessionId !== undefined) letGo(sessionId)
      }
    },
    close() {
      for (const sessionId of waiting.values()) letGo(sessionId)
      session.disconnect()
    },
  }
}
