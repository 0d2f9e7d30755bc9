import { Session } from 'node:inspector'
import { isMainThread, type Worker } from 'node:worker_threads'
import { ChaosError, defineFault, option, optionsSchema, type OptionsOf } from '@chaos/core'
import { parseTitle } from '../inside/inspector.js'
import { interceptStarts, isWorkerThreads, WORKER_THREADS, type WorkerThreads } from '../targets/starts.js'

// A copy, since fake timers replace it.
const nextTick = process.nextTick.bind(process)

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
  readonly onExit: () => void
}

/** Makes each new worker wait for the inspector before its code runs. */
function openGate(): Gate {
  const session = new Session()
  session.connect()
  const arrivals = new Map<number, Arrival>()
  let onLeft = (): void => undefined

  const letGo = (sessionId: string): void => session.post('NodeWorker.sendMessageToWorker', { sessionId, message: '{"id":1,"method":"Runtime.runIfWaitingForDebugger"}' })
  const leave = (threadId: number, { worker, onExit }: Arrival): void => {
    arrivals.delete(threadId)
    worker.off('exit', onExit)
    onLeft()
  }
  const arrive = (worker: Worker, isHeld: boolean): Arrival => {
    const { threadId } = worker
    const arrival: Arrival = { worker, isHeld, sessionId: undefined, onExit: () => leave(threadId, arrival) }
    arrivals.set(threadId, arrival)
    worker.once('exit', arrival.onExit)
    return arrival
  }
  const forget = ({ params: { sessionId } }: { readonly params: { readonly sessionId: string } }): void => {
    for (const [threadId, arrival] of arrivals) if (arrival.sessionId === sessionId) leave(threadId, arrival)
  }
  // Also one whose constructor was captured before the fault came waits at the gate.
  const onMade = (worker: Worker): void => {
    if (!arrivals.has(worker.threadId)) arrive(worker, false)
  }
  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo, waitingForDebugger } }) => {
    const { threadId } = parseTitle(workerInfo.title)
    const arrival = arrivals.get(threadId)
    if (arrival === undefined) return
    arrival.sessionId = sessionId
    if (!waitingForDebugger) leave(threadId, arrival)
    else if (!arrival.isHeld) letGo(sessionId)
  })
  // The answer to what lets it go: it runs.
  session.on('NodeWorker.receivedMessageFromWorker', forget)
  session.on('NodeWorker.detachedFromWorker', forget)
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: true })
  process.on('worker', onMade)

  return {
    admit(worker, isHeld) {
      const arrival = arrive(worker, isHeld)
      return () => {
        arrival.isHeld = false
        if (arrival.sessionId !== undefined) letGo(arrival.sessionId)
      }
    },
    async close() {
      // Whoever is made from now on does not wait. Who was made before is told in the next tick.
      session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
      await new Promise(nextTick)
      process.off('worker', onMade)
      for (const arrival of arrivals.values()) {
        if (arrival.isHeld && arrival.sessionId !== undefined) letGo(arrival.sessionId)
        arrival.isHeld = false
      }
      if (arrivals.size > 0) await new Promise<void>((resolve) => {
        onLeft = () => {
          if (arrivals.size === 0) resolve()
        }
      })
      session.disconnect()
    },
  }
}
