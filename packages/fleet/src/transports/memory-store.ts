import type { InstanceRecord } from '../plan/instance.js'
import type { Plan, SignedPlan } from '../plan/plan.js'
import { ackOf, ackText, instanceOf, instanceText } from './records.js'
import type {
  Ack,
  AuditEntry,
  ControllerTransport,
  Halt,
  HaltResult,
  OpenResult,
  OwnedRun,
  Phase,
  Renewal,
  RunView,
  Snapshot,
} from './transport.js'

/** How long an instance stays listed after its last read, in ms: three idle polls. */
const INSTANCE_TTL_MS = 15_000
/** How long the answers about a run are kept after the last one, in ms. */
const ACKS_TTL_MS = 3_600_000
/** The most runs that are listed. */
const MAX_RUNS = 1_000
/** The most instances. Then those that have not read for the longest time make room. */
const MAX_INSTANCES = 10_000
/** The most runs about which answers are kept. */
const MAX_ANSWERED = 1_000
/** The most entries in the audit log. */
const MAX_AUDIT = 10_000

interface Run {
  readonly signed: SignedPlan
  readonly plan: Plan
  readonly owner: string
  readonly epoch: number
  phase: Phase
  beat: number
  expiresAtMs: number
}

/** The data of an engine: what the scripts of a real one do in one step each. */
export class Store {
  readonly #now: () => number
  readonly #instances = new Map<string, { readonly record: InstanceRecord; readonly expiresAtMs: number }>()
  readonly #runs = new Map<string, Run>()
  /** The run of each instance. An entry counts only as long as its run lives. */
  readonly #targets = new Map<string, string>()
  readonly #acks = new Map<string, { readonly acks: Map<string, Ack>; expiresAtMs: number }>()
  #audit: AuditEntry[] = []
  #audited = 0
  #openUntilMs = 0
  #halt: Halt | undefined
  #epoch = 0

  constructor(now: () => number) {
    this.#now = now
  }

  read(record: InstanceRecord): Snapshot {
    // At the end of the list, so that the one at its front has not read for the longest time.
    this.#instances.delete(record.id)
    // As a real engine keeps it: bounded.
    const kept = instanceOf(instanceText(record)) ?? record
    this.#instances.set(record.id, { record: kept, expiresAtMs: this.#now() + INSTANCE_TTL_MS })
    trim(this.#instances, MAX_INSTANCES)
    const id = this.#targets.get(record.id)
    const run = id === undefined ? undefined : this.#live(id)
    return {
      isPermitted: this.#isPermitted(),
      epoch: this.#epoch,
      run: id === undefined || run === undefined ? undefined : this.#view(id, run),
    }
  }

  #view(id: string, { phase, epoch, beat, expiresAtMs, signed }: Run): RunView {
    return { id, phase, epoch, beat, remainingMs: expiresAtMs - this.#now(), signed }
  }

  ack(runId: string, instanceId: string, ack: Ack): void {
    const now = this.#now()
    for (const [id, { expiresAtMs }] of this.#acks) if (now >= expiresAtMs) this.#acks.delete(id)
    const known = this.#acks.get(runId) ?? { acks: new Map<string, Ack>(), expiresAtMs: 0 }
    // As a real engine keeps it: bounded, and without what JSON cannot say.
    known.acks.set(instanceId, ackOf(ackText(ack)) ?? { status: ack.status })
    trim(known.acks, MAX_INSTANCES)
    known.expiresAtMs = now + ACKS_TTL_MS
    this.#acks.delete(runId)
    this.#acks.set(runId, known)
    trim(this.#acks, MAX_ANSWERED)
  }

  acks(runId: string): ReadonlyMap<string, Ack> {
    const known = this.#acks.get(runId)
    return new Map(known === undefined || this.#now() >= known.expiresAtMs ? [] : known.acks)
  }

  list(): readonly InstanceRecord[] {
    const now = this.#now()
    for (const [id, { expiresAtMs }] of this.#instances) if (now >= expiresAtMs) this.#instances.delete(id)
    return [...this.#instances.values()].map(({ record }) => record)
  }

  runs(): readonly RunView[] {
    return [...this.#runs]
      .flatMap(([id]) => {
        const run = this.#live(id)
        return run === undefined ? [] : [this.#view(id, run)]
      })
      .reverse()
      .slice(0, MAX_RUNS)
  }

  open(signed: SignedPlan, plan: Plan, owner: string): OpenResult {
    if (this.#halt !== undefined) return { isOpen: false, why: 'halted' }
    if (!this.#isPermitted()) return { isOpen: false, why: 'not-permitted' }
    const busy = this.#busy(plan)
    if (busy.length > 0) return { isOpen: false, why: 'busy', busy }
    this.#runs.set(plan.runId, {
      signed,
      plan,
      owner,
      epoch: this.#epoch,
      phase: 'prepare',
      beat: 1,
      expiresAtMs: this.#now() + plan.leaseMs,
    })
    for (const instance of plan.instances) this.#targets.set(instance, plan.runId)
    this.note('open', plan.by, { runId: plan.runId, plan: signed.text, keyId: signed.keyId })
    return { isOpen: true, epoch: this.#epoch }
  }

  renew({ runId, owner }: OwnedRun, leaseMs: number, phase: Phase): Renewal {
    const run = this.#live(runId)
    if (run?.owner !== owner) return 'lost'
    // A halt that has been lifted meanwhile has raised the epoch.
    if (this.#halt !== undefined || run.epoch !== this.#epoch) return 'halted'
    if (!this.#isPermitted()) return 'not-permitted'
    if (phase === 'active' && run.phase !== 'active') {
      run.phase = 'active'
      this.note('activate', run.plan.by, { runId })
    }
    run.beat += 1
    run.expiresAtMs = this.#now() + leaseMs
    return 'renewed'
  }

  phaseOf(runId: string): Phase | undefined {
    return this.#live(runId)?.phase
  }

  close({ runId, owner }: OwnedRun): void {
    const run = this.#live(runId)
    if (run?.owner !== owner) return
    this.#forget(runId)
    this.note('close', run.plan.by, { runId })
  }

  halt(reason: string, by: string): HaltResult {
    const earlier = this.#halt
    // The first one stays. The runs of before end by their epoch: who may halt need not be able to write them.
    this.#halt ??= { reason, by, at: this.#now() }
    this.#raiseEpoch()
    this.note('halt', by, { reason })
    return { epoch: this.#epoch, replicas: 0, connectedReplicas: 0, earlier }
  }

  permit(forMs: number, by: string, reason: string): { readonly epoch: number } {
    // To prolong a window ends no run.
    if (!this.#isPermitted()) this.#raiseEpoch()
    this.#openUntilMs = forMs === 0 ? 0 : this.#now() + forMs
    if (forMs > 0) this.#halt = undefined
    this.note(forMs > 0 ? 'permit' : 'forbid', by, { forMs: String(forMs), reason })
    return { epoch: this.#epoch }
  }

  status(): Awaited<ReturnType<ControllerTransport['status']>> {
    return {
      isPermitted: this.#isPermitted(),
      openForMs: Math.max(0, this.#openUntilMs - this.#now()),
      halt: this.#halt?.reason,
      epoch: this.#epoch,
    }
  }

  audit(count: number, before: string | undefined): readonly AuditEntry[] {
    const entries = before === undefined ? this.#audit : this.#audit.filter(({ id }) => Number(id) < Number(before))
    return count === 0 ? [] : entries.slice(-count)
  }

  note(what: string, by: string, details: Readonly<Record<string, string>>): void {
    this.#audited += 1
    this.#audit.push({ id: String(this.#audited), at: this.#now(), what, by, details })
    if (this.#audit.length > MAX_AUDIT) this.#audit = this.#audit.slice(-MAX_AUDIT / 2)
  }

  wipe(): void {
    for (const all of [this.#instances, this.#runs, this.#targets, this.#acks]) all.clear()
    this.#audit = []
    this.#openUntilMs = 0
    this.#halt = undefined
    this.#epoch = 0
  }

  /** The window is open, and there is no halt. Without data nothing is permitted. */
  #isPermitted(): boolean {
    return this.#halt === undefined && this.#now() < this.#openUntilMs
  }

  /** Never below the time, so that a loss of all data does not lock out agents that remember a higher one. */
  #raiseEpoch(): void {
    this.#epoch = Math.max(this.#epoch + 1, Math.floor(this.#now()))
  }

  #live(runId: string): Run | undefined {
    const run = this.#runs.get(runId)
    if (run === undefined || this.#now() < run.expiresAtMs) return run
    this.#forget(runId)
    return undefined
  }

  #forget(runId: string): void {
    const run = this.#runs.get(runId)
    this.#runs.delete(runId)
    for (const id of run?.plan.instances ?? []) if (this.#targets.get(id) === runId) this.#targets.delete(id)
  }

  /** The instances of the plan that belong to a run, its services that one concerns, and its own id if it is in use. */
  #busy({ runId, instances, candidates }: Plan): readonly string[] {
    const live = [...this.#runs.keys()].filter((id) => this.#live(id) !== undefined)
    const services = new Set(live.flatMap((id) => Object.keys(this.#runs.get(id)?.plan.candidates ?? {})))
    return [
      ...live.filter((id) => id === runId),
      ...instances.filter((id) => this.#targets.has(id)),
      ...Object.keys(candidates).filter((service) => services.has(service)),
    ]
  }
}

/** Takes the oldest entries out of a map that is too large. */
function trim(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return
    map.delete(key)
  }
}
