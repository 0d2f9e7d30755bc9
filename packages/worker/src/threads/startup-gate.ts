import { builtin } from '@chaos/core/authoring'
import { Session } from 'node:inspector'
import timers from 'node:timers'
import type { Worker } from 'node:worker_threads'
import { parseTitle } from './inspector.js'

// Copies, so that fake timers do not affect them.
const nextTick = process.nextTick.bind(process)
const { setImmediate: soon } = builtin('node:timers', timers)

/** Makes new workers wait before any of their code runs. */
export interface StartupGate {
  /** Registers a new worker, and holds it if `isHeld`. @returns A function that releases the worker. */
  readonly admit: (worker: Worker, isHeld: boolean) => () => void
  /** Releases all workers of this gate. The last gate also waits until they run: if the inspector disconnects earlier, a worker waits forever. */
  readonly close: () => Promise<void>
}

/** A worker that has not passed the gate. */
interface Arrival {
  /** The number of gates that hold the worker. */
  holds: number
  /** `undefined` until the thread has started. */
  sessionId: string | undefined
  readonly left: Promise<void>
  readonly leave: () => void
}

const arrivals = new Map<number, Arrival>()
/** The ids of the inspector's sessions with workers. */
const attached = new Set<string>()
let session: Session | undefined
let openGates = 0
const isOpen = (): boolean => openGates > 0

/**
 * Makes each new worker of the main thread wait for the inspector before its code runs.
 *
 * All gates share one inspector session. It disconnects only when no gate is open and no worker that it attached to is
 * alive: disconnecting while a worker exits crashes the process (a segmentation fault, seen on Node.js 20 and 24). Until
 * then the session stays connected and idle.
 */
export function openStartupGate(): StartupGate {
  openGates += 1
  if (openGates === 1) {
    session ??= connect()
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: true })
    // A gate that is closing may not have removed the listener yet.
    process.off('worker', onMade).on('worker', onMade)
  }
  const held = new Set<() => void>()
  return {
    admit(worker, isHeld) {
      const arrival = arrivals.get(worker.threadId) ?? arrive(worker)
      if (!isHeld) return () => undefined
      arrival.holds += 1
      const release = (): void => {
        if (!held.delete(release)) return
        arrival.holds -= 1
        startIfReleased(arrival)
      }
      held.add(release)
      return release
    },
    async close() {
      openGates -= 1
      if (!isOpen()) {
        // Workers created from now on do not wait. Node.js reports those created before in the next tick.
        session?.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
        await new Promise(nextTick)
        if (!isOpen()) process.off('worker', onMade)
      }
      for (const release of held) release()
      // While another gate is open, the inspector stays connected and no worker waits forever.
      if (isOpen()) return
      await Promise.all([...arrivals.values()].map(({ left }) => left))
      disconnectIfAlone()
    },
  }
}

function connect(): Session {
  const made = new Session()
  made.connect()
  made.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo, waitingForDebugger } }) => {
    attached.add(sessionId)
    const arrival = arrivals.get(parseTitle(workerInfo.title).threadId)
    if (arrival === undefined) {
      if (waitingForDebugger) start(sessionId)
      return
    }
    arrival.sessionId = sessionId
    if (waitingForDebugger) startIfReleased(arrival)
    else arrival.leave()
  })
  // The answer to `start`: the worker runs.
  made.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId } }) => leaveOf(sessionId))
  made.on('NodeWorker.detachedFromWorker', ({ params: { sessionId } }) => {
    attached.delete(sessionId)
    leaveOf(sessionId)
    disconnectIfAlone()
  })
  return made
}

/** Disconnects if no worker is attached. Deferred, since the inspector iterates over its sessions while it emits events. */
function disconnectIfAlone(): void {
  soon(() => {
    if (session === undefined || isOpen() || attached.size > 0 || arrivals.size > 0) return
    session.disconnect()
    session = undefined
  })
}

function arrive(worker: Worker): Arrival {
  const { threadId } = worker
  let onLeft = (): void => undefined
  const left = new Promise<void>((resolve) => (onLeft = resolve))
  const leave = (): void => {
    arrivals.delete(threadId)
    worker.off('exit', leave)
    onLeft()
  }
  const arrival: Arrival = { holds: 0, sessionId: undefined, left, leave }
  arrivals.set(threadId, arrival)
  worker.once('exit', leave)
  return arrival
}

/** Also registers workers whose constructor the application captured before the fault was injected. */
function onMade(worker: Worker): void {
  if (!arrivals.has(worker.threadId)) arrive(worker)
}

function leaveOf(sessionId: string): void {
  for (const arrival of arrivals.values()) if (arrival.sessionId === sessionId) arrival.leave()
}

function startIfReleased({ holds, sessionId }: Arrival): void {
  if (holds === 0 && sessionId !== undefined) start(sessionId)
}

const start = (sessionId: string): void =>
  session?.post('NodeWorker.sendMessageToWorker', {
    sessionId,
    message: '{"id":1,"method":"Runtime.runIfWaitingForDebugger"}',
  })
