import { ChaosError, type Clock } from '@chaos/core'
import type { InstanceRecord } from '../src/plan/instance.js'
import type { Plan } from '../src/plan/plan.js'
import type { Ack, AuditEntry, ControllerTransport, Phase } from '../src/transports/transport.js'

interface HeldRun {
  readonly plan: Plan
  readonly owner: string
  phase: Phase
  beat: number
  endsAt: number
}

/** How a simulated agent behaves. */
interface AgentBehaviour {
  /** It refuses the plan, with this why. */
  readonly refuses?: string
  /** It cannot put the fault in force, with this why. */
  readonly fails?: string
  /** It never answers. */
  readonly isSilent?: boolean
  /** Operations that the fault affects at each look. Default 0. */
  readonly hitsPerLook?: number
  /** What the fault reports to have done. */
  readonly evidence?: Readonly<Record<string, unknown>>
}

/** An engine in memory with simulated agents, which can be broken from tests. */
export interface TestEngine {
  readonly transport: ControllerTransport
  /** Every call, as `open`, `renew prepare`, `close`. */
  readonly calls: string[]
  readonly notes: AuditEntry[]
  /** The ids of the instances in which a fault is in force. */
  readonly affected: ReadonlySet<string>
  /** How often a fault was put in force, in all instances. */
  readonly applied: number
  instances: readonly InstanceRecord[]
  behave(id: string, behaviour: AgentBehaviour): void
  /** The process of an instance dies: its agent never looks again. */
  kill(id: string): void
  /** The agent reverts by itself. */
  revert(id: string, why: string): void
  /** `hangs`: calls get no answer. `fails`: they reject. */
  mode: 'works' | 'hangs' | 'fails'
  /** Loses all runs, as `FLUSHALL` does. */
  forget(): void
  /** The hits of all instances are counted from now on. */
  isPermitted: boolean
  /** Whether the credential may call a halt. */
  mayHalt: boolean
  halt: string | undefined
}

/** The pause between two looks of an agent, in ms. */
export const LOOK_MS = 500

/** Makes an engine. Its agents follow rules A1 to A5 in the plainest way. @param lookMs The pause between two of their looks. */
export function testEngine(clock: Clock, instances: readonly InstanceRecord[], lookMs = LOOK_MS): TestEngine {
  const runs = new Map<string, HeldRun>()
  const acks = new Map<string, Map<string, Ack>>()
  const behaviours = new Map<string, AgentBehaviour>()
  const dead = new Set<string>()
  const deadRuns = new Set<string>()
  const affected = new Set<string>()
  const wakers = new Set<() => void>()
  const force = new Map<string, { readonly runId: string; readonly hardEnd: number; deadline: number; hits: number }>()
  let epoch = 1
  let applied = 0

  const isLive = (run: HeldRun): boolean => clock.now() < run.endsAt && engine.isPermitted && engine.halt === undefined
  const answer = (runId: string, id: string, ack: Ack): void => {
    if (behaviours.get(id)?.isSilent === true || engine.mode !== 'works') return
    acks.set(runId, (acks.get(runId) ?? new Map<string, Ack>()).set(id, ack))
  }
  function revert(id: string, why: string): void {
    const own = force.get(id)
    if (own === undefined) return
    force.delete(id)
    affected.delete(id)
    deadRuns.add(`${own.runId} ${id}`)
    answer(own.runId, id, { status: 'reverted', why, hits: own.hits })
  }
  function agentLooks(id: string): void {
    if (dead.has(id)) return
    const { refuses, fails, hitsPerLook = 0, evidence } = behaviours.get(id) ?? {}
    const did = evidence === undefined ? {} : { evidence: [evidence] }
    const own = force.get(id)
    if (own !== undefined) {
      own.hits += hitsPerLook
      if (clock.now() >= own.hardEnd) revert(id, 'max-duration')
      else if (clock.now() >= own.deadline) revert(id, 'deadline')
    }
    if (engine.mode !== 'works') return
    for (const [runId, run] of runs) {
      if (!run.plan.instances.includes(id) || deadRuns.has(`${runId} ${id}`) || !isLive(run)) continue
      const held = force.get(id)
      if (refuses !== undefined) answer(runId, id, { status: 'refused', why: refuses })
      else if (held !== undefined) {
        held.deadline = Math.max(held.deadline, run.endsAt)
        answer(runId, id, { status: 'applied', hits: held.hits, ...did })
      } else if (run.phase === 'prepare') answer(runId, id, { status: 'ready' })
      else if (fails !== undefined) answer(runId, id, { status: 'refused', why: fails })
      else {
        applied += 1
        force.set(id, { runId, hardEnd: clock.now() + run.plan.maxDurationMs, deadline: run.endsAt, hits: 0 })
        affected.add(id)
        answer(runId, id, { status: 'applied', hits: 0, ...did })
      }
    }
    const mine = force.get(id)
    const run = mine === undefined ? undefined : runs.get(mine.runId)
    if (mine !== undefined && (run === undefined || !isLive(run)))
      revert(id, engine.halt !== undefined ? 'halted' : engine.isPermitted ? 'run-gone' : 'not-permitted')
  }
  function agents(): void {
    for (const { id } of instances) agentLooks(id)
    clock.after(lookMs, agents, { ref: false })
  }
  clock.after(lookMs, agents, { ref: false })

  /** Does what a call asks for, in the state in which the engine is. */
  async function call<T>(name: string, work: () => T): Promise<T> {
    engine.calls.push(name)
    if (engine.mode === 'hangs') return new Promise(() => undefined)
    if (engine.mode === 'fails') throw new ChaosError('CHAOS_FLEET_UNREACHABLE', 'The engine does not answer.')
    return work()
  }
  const ownedRun = ({ runId, owner }: { readonly runId: string; readonly owner: string }): HeldRun | undefined => {
    const run = runs.get(runId)
    return run?.owner === owner && clock.now() < run.endsAt ? run : undefined
  }

  const engine: TestEngine = {
    calls: [],
    notes: [],
    affected,
    get applied() {
      return applied
    },
    instances,
    behave: (id, behaviour) => void behaviours.set(id, behaviour),
    kill(id) {
      dead.add(id)
      force.delete(id)
      affected.delete(id)
      engine.instances = engine.instances.filter((one) => one.id !== id)
    },
    revert,
    mode: 'works',
    forget: () => runs.clear(),
    isPermitted: true,
    mayHalt: true,
    halt: undefined,
    transport: {
      list: () => call('list', () => engine.instances),
      open: (_signed, plan, owner) =>
        call('open', () => {
          if (!engine.isPermitted) return { isOpen: false, why: 'not-permitted' } as const
          if (engine.halt !== undefined) return { isOpen: false, why: 'halted' } as const
          const busy = [...runs.values()]
            .filter(isLive)
            .flatMap((run) => plan.instances.filter((id) => run.plan.instances.includes(id)))
          if (busy.length > 0) return { isOpen: false, why: 'busy', busy } as const
          runs.set(plan.runId, { plan, owner, phase: 'prepare', beat: 1, endsAt: clock.now() + plan.leaseMs })
          return { isOpen: true, epoch } as const
        }),
      renew: (run, leaseMs, phase) =>
        call(`renew ${phase}`, () => {
          if (engine.halt !== undefined) return 'halted'
          if (!engine.isPermitted) return 'not-permitted'
          const held = ownedRun(run)
          if (held === undefined) return 'lost'
          held.beat += 1
          held.phase = phase
          held.endsAt = clock.now() + leaseMs
          return 'renewed'
        }),
      close: (run) =>
        call('close', () => {
          if (ownedRun(run) !== undefined) runs.delete(run.runId)
        }),
      acks: (runId) => call('acks', () => new Map(acks.get(runId))),
      runs: () => call('runs', () => []),
      halt: (reason) =>
        call('halt', () => {
          if (!engine.mayHalt) throw new ChaosError('CHAOS_FLEET_FORBIDDEN', 'This credential may not call a halt.')
          engine.halt = reason
          epoch += 1
          for (const wake of wakers) wake()
          return { epoch, replicas: 0, connectedReplicas: 0, earlier: undefined }
        }),
      permit: () => call('permit', () => ({ epoch })),
      status: () =>
        call('status', () => ({
          isPermitted: engine.isPermitted && engine.halt === undefined,
          openForMs: engine.isPermitted ? 60_000 : 0,
          halt: engine.halt,
          epoch,
        })),
      audit: (count) => call('audit', () => engine.notes.slice(-count)),
      note: (what, by, details) =>
        call(
          'note',
          () => void engine.notes.push({ id: String(engine.notes.length), at: clock.now(), what, by, details }),
        ),
      onWake(listener) {
        wakers.add(listener)
        return () => void wakers.delete(listener)
      },
      disconnect: () => call('disconnect', () => undefined),
    },
  }
  return engine
}
