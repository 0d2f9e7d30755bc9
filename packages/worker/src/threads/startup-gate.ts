import { Session } from 'node:inspector'
import timers from 'node:timers'
import type { Worker } from 'node:worker_threads'
import { parseTitle } from './inspector.js'

// Copies, since fake timers replace them.
const nextTick = process.nextTick.bind(process)
const { setImmediate: soon } = timers

/** Where new workers wait before any of their code runs. */
export interface StartupGate {
  /** Meets a worker that was just made; a held one waits until it is let go. @returns Lets it go. */
  readonly admit: (worker: Worker, isHeld: boolean) => () => void
  /** Lets all go that it holds, and, where it is the last one, waits until all are gone: a worker that the inspector leaves too early would wait for ever. */
  readonly close: () => Promise<void>
}

/** A worker on its way through the gate. */
interface Arrival {
  /** Gates that hold it. */
  holds: number
  /** `undefined` until its thread has begun. */
  sessionId: string | undefined
  readonly left: Promise<void>
  readonly leave: () => void
}

const arrivals = new Map<number, Arrival>()
/** Workers that the inspector is attached to, by session. */
const attached = new Set<string>()
let session: Session | undefined
let openGates = 0
const isOpen = (): boolean => openGates > 0

/**
 * Makes each new worker of the main thread wait for the inspector before its code runs.
 *
 * All gates share one session of the inspector. It leaves when no gate is open and none of the workers that it met is alive any more: leaving a worker
 * in the moment in which it exits ends the process with a segmentation fault (seen on Node.js 20 and 24). Until then it does nothing but stay.
 */
export function openStartupGate(): StartupGate {
  openGates += 1
  if (openGates === 1) {
    session ??= connect()
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: true })
    // A gate that is closing right now may not have taken it off yet.
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
        letGoIfFree(arrival)
      }
      held.add(release)
      return release
    },
    async close() {
      openGates -= 1
      if (!isOpen()) {
        // Whoever is made from now on does not wait. Who was made before is told in the next tick.
        session?.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
        await new Promise(nextTick)
        if (!isOpen()) process.off('worker', onMade)
      }
      for (const release of held) release()
      // While another gate is open the inspector stays, and strands nobody.
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
      if (waitingForDebugger) letGo(sessionId)
      return
    }
    arrival.sessionId = sessionId
    if (waitingForDebugger) letGoIfFree(arrival)
    else arrival.leave()
  })
  // The answer to what lets it go: it runs.
  made.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId } }) => leaveOf(sessionId))
  made.on('NodeWorker.detachedFromWorker', ({ params: { sessionId } }) => {
    attached.delete(sessionId)
    leaveOf(sessionId)
    disconnectIfAlone()
  })
  return made
}

/** Not within the event that told of the last one: the inspector walks over its sessions while it tells. */
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

/** Also one whose constructor was captured before the fault came waits at the gate. */
function onMade(worker: Worker): void {
  if (!arrivals.has(worker.threadId)) arrive(worker)
}

function leaveOf(sessionId: string): void {
  for (const arrival of arrivals.values()) if (arrival.sessionId === sessionId) arrival.leave()
}

function letGoIfFree({ holds, sessionId }: Arrival): void {
  if (holds === 0 && sessionId !== undefined) letGo(sessionId)
}

const letGo = (sessionId: string): void =>
  session?.post('NodeWorker.sendMessageToWorker', {
    sessionId,
    message: '{"id":1,"method":"Runtime.runIfWaitingForDebugger"}',
  })
