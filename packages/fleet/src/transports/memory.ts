import { ChaosError, type Clock } from '@chaos/core'
import { messageOf, systemClock } from '@chaos/core/authoring'
import { Store } from './memory-store.js'
import type { AgentTransport, ControllerTransport } from './transport.js'

/** Options of {@link memoryEngine}. */
export interface MemoryEngineOptions {
  /** The source of time of the engine and of the network. Default: the real clock. */
  readonly clock?: Clock
  /** How long a request waits for its answer, in ms. Default 1,000. */
  readonly timeoutMs?: number
}

/**
 * An engine in this process: for tests, and behind a relay for the fleet of one host without Redis. It ends with the process, and
 * then permits nothing. It has what can go wrong with an engine as members.
 */
export interface MemoryEngine {
  agent(): AgentTransport
  controller(): ControllerTransport
  /** How long each request and each answer is on its way, in ms. Default 0. */
  latencyMs: number
  /** Loses the answers to the next reads of agents. The engine has served them. */
  loseReads(count: number): void
  /** Stops serving. Requests wait, as at a process that is suspended. */
  pause(): void
  /** Serves what has waited, in order. */
  resume(): void
  /** Loses all data, as FLUSHALL or a restart without persistence does. */
  wipe(): void
  /** Moves the clock of the engine alone. */
  stepClock(byMs: number): void
  /** Cuts off an agent or a controller: its requests and its wake calls are lost. @returns Heals the network. */
  partition(party: AgentTransport | ControllerTransport): () => void
}

/** One party's way to the engine. */
interface Link {
  isCut: boolean
  isClosed: boolean
  readonly listeners: Set<() => void>
}

/** Makes an engine in this process. No run is permitted until `permit` of a controller's transport is called. */
export function memoryEngine({ clock = systemClock, timeoutMs = 1_000 }: MemoryEngineOptions = {}): MemoryEngine {
  let offsetMs = 0
  let isPaused = false
  let readsToLose = 0
  const waiting: (() => void)[] = []
  const links = new Map<object, Link>()
  const store = new Store(() => clock.now() + offsetMs)

  /** Runs work when a message has arrived: at once without latency, so that a test need not move its clock. */
  const onArrival = (work: () => void): void => {
    if (engine.latencyMs === 0) queueMicrotask(work)
    else clock.after(engine.latencyMs, work)
  }

  /** Sends a request. Its serving and its answer may be late, or lost with the network. */
  function request<T>(link: Link, serve: () => T, isAnswerLost: () => boolean = () => false): Promise<T> {
    return new Promise((resolve, reject) => {
      if (link.isClosed) {
        reject(unreachable('The connection to the fleet is closed.'))
        return
      }
      const cancel = clock.after(
        timeoutMs,
        () => reject(unreachable(`The engine of the fleet did not answer within ${timeoutMs} ms.`)),
        { ref: false },
      )
      if (link.isCut) return
      const arrive = (): void => {
        if (isPaused) {
          waiting.push(arrive)
          return
        }
        let answer: T
        try {
          answer = serve()
        } catch (error) {
          // What cannot be kept is refused, as by a real engine.
          cancel()
          reject(error instanceof Error ? error : new Error(messageOf(error)))
          return
        }
        if (isAnswerLost()) return
        onArrival(() => {
          if (link.isCut) return
          cancel()
          resolve(answer)
        })
      }
      onArrival(arrive)
    })
  }

  function wake(): void {
    for (const link of links.values()) {
      onArrival(() => {
        if (link.isCut || link.isClosed) return
        for (const listener of [...link.listeners]) listener()
      })
    }
  }

  /** A request after which all parties are called. */
  const command = <T>(link: Link, serve: () => T): Promise<T> =>
    request(link, () => {
      const answer = serve()
      wake()
      return answer
    })

  const linked = <Party extends object>(make: (link: Link) => Party): Party => {
    const link: Link = { isCut: false, isClosed: false, listeners: new Set() }
    const party = make(link)
    links.set(party, link)
    return party
  }

  const onWake =
    (link: Link) =>
    (listener: () => void): (() => void) => {
      // One entry a call, though the same function may be given twice.
      const call = (): void => listener()
      link.listeners.add(call)
      return () => void link.listeners.delete(call)
    }

  const close = (link: Link) => (): Promise<void> => {
    link.isClosed = true
    link.listeners.clear()
    return Promise.resolve()
  }

  const isReadLost = (): boolean => {
    if (readsToLose === 0) return false
    readsToLose -= 1
    return true
  }

  const engine: MemoryEngine = {
    latencyMs: 0,
    agent: () =>
      linked((link) => ({
        read: (instance) => request(link, () => store.read(instance), isReadLost),
        ack: (runId, instanceId, ack) => request(link, () => store.ack(runId, instanceId, ack)),
        onWake: onWake(link),
        close: close(link),
      })),
    controller: () =>
      linked((link) => ({
        list: () => request(link, () => store.list()),
        open: (signed, plan, owner) => command(link, () => store.open(signed, plan, owner)),
        renew: (run, leaseMs, phase) =>
          request(link, () => {
            const before = store.phaseOf(run.runId)
            const answer = store.renew(run, leaseMs, phase)
            // An agent reads the new lease with its next poll. Only a phase is news.
            if (before !== store.phaseOf(run.runId)) wake()
            return answer
          }),
        close: (run) => command(link, () => store.close(run)),
        acks: (runId) => request(link, () => store.acks(runId)),
        runs: () => request(link, () => store.runs()),
        halt: (reason, by) => command(link, () => store.halt(reason, by)),
        permit: (forMs, by, reason) => command(link, () => store.permit(forMs, by, reason)),
        status: () => request(link, () => store.status()),
        audit: (count, before) => request(link, () => store.audit(count, before)),
        note: (what, by, details) => request(link, () => store.note(what, by, details)),
        onWake: onWake(link),
        disconnect: close(link),
      })),
    loseReads(count) {
      readsToLose += count
    },
    pause() {
      isPaused = true
    },
    resume() {
      isPaused = false
      for (const serve of waiting.splice(0)) serve()
    },
    wipe: () => store.wipe(),
    stepClock(byMs) {
      offsetMs += byMs
    },
    partition(party) {
      const link = links.get(party)
      if (link === undefined)
        throw new ChaosError('CHAOS_INVALID_OPTION', 'Pass a transport of this engine to `partition`.')
      link.isCut = true
      return () => {
        link.isCut = false
      }
    },
  }
  return engine
}

const unreachable = (message: string): ChaosError => new ChaosError('CHAOS_FLEET_UNREACHABLE', message)
