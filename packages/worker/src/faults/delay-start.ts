import { Session } from 'node:inspector'
import { isMainThread, type Worker } from 'node:worker_threads'
import { ChaosError, defineFault, option, optionsSchema, type OptionsOf } from '@chaos/core'
import { parseTitle } from '../inside/inspector.js'
import { interceptStarts, isWorkerThreads, WORKER_THREADS, type WorkerThreads } from '../targets/starts.js'

const schema = optionsSchema({
  delayMs: option.optional(option.durationMs('How long a new worker takes before its code runs, in ms. Default: until the fault ends, it never becomes ready.')),
})

/** Options of {@link delayStart}: `delayMs`; without it new workers never become ready while the fault is in force. */
export type DelayStartOptions = OptionsOf<typeof delayStart>

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
      const letGo = gate.admit(worker, isChosen)
      if (isChosen) context.hold({ afterMs: delayMs, run: letGo })
      return worker
    })
  },
})

interface Gate {
  /** Meets a worker that was just made; a held one waits until it is let go. @returns Lets it go. */
  readonly admit: (worker: Worker, isHeld: boolean) => () => void
  /** Lets all go, and waits until they are gone: one that the inspector leaves too early would wait for ever. */
  readonly close: () => Promise<void>
}

/** A worker on its way through the gate. */
interface Arrival {
  readonly worker: Worker
  isHeld: boolean
  /** `undefined` until its thread has begun. */
  sessionId: string | undefined
}

/** Makes each new worker wait for the inspector before its code runs. */
function openGate(): Gate {
  const session = new Session()
  session.connect()
  const arrivals = new Map<number, Arrival>()
  let onLeft = (): void => undefined

  const letGo = (sessionId: string): void => session.post('NodeWorker.sendMessageToWorker', { sessionId, message: '{"id":1,"method":"Runtime.runIfWaitingForDebugger"}' })
  const forget = ({ params: { sessionId } }: { readonly params: { readonly sessionId: string } }): void => {
    for (const [threadId, arrival] of arrivals) if (arrival.sessionId === sessionId) arrivals.delete(threadId)
    onLeft()
  }
  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo, waitingForDebugger } }) => {
    const arrival = arrivals.get(parseTitle(workerInfo.title).threadId)
    if (arrival !== undefined) arrival.sessionId = sessionId
    if (waitingForDebugger && arrival?.isHeld !== true) letGo(sessionId)
  })
  // The answer to what lets it go: it runs.
  session.on('NodeWorker.receivedMessageFromWorker', forget)
  session.on('NodeWorker.detachedFromWorker', forget)
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: true })

  return {
    admit(worker, isHeld) {
      const arrival: Arrival = { worker, isHeld, sessionId: undefined }
      arrivals.set(worker.threadId, arrival)
      return () => {
        arrival.isHeld = false
        if (arrival.sessionId !== undefined) letGo(arrival.sessionId)
      }
    },
    async close() {
      for (const arrival of arrivals.values()) {
        if (arrival.isHeld && arrival.sessionId !== undefined) letGo(arrival.sessionId)
        arrival.isHeld = false
      }
      const waitedFor = [...arrivals.values()].map(({ worker }) => worker)
      await new Promise<void>((resolve) => {
        onLeft = () => {
          for (const [threadId, { worker }] of arrivals) if (worker.threadId === -1) arrivals.delete(threadId)
          if (arrivals.size === 0) resolve()
        }
        for (const worker of waitedFor) worker.once('exit', onLeft)
        onLeft()
      })
      for (const worker of waitedFor) worker.off('exit', onLeft)
      session.disconnect()
    },
  }
}
