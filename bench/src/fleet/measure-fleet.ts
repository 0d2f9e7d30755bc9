import { setTimeout as sleep } from 'node:timers/promises'
import {
  accountSince,
  makeFleet,
  monotonicMs,
  startEngine,
  type AgentCounts,
  type ControllerProcess,
  type Engine,
  type Fleet,
} from '@chaos/test-fleet'
import { engineCounts, type EngineCounts } from './engine.js'
import { DEFAULT_LEASE_MS, KILLED_LEASE_MS, type FleetPoint, type Load } from './point.js'
import { cpuMsOf } from './process-cpu.js'

/** How much is measured of a fleet. */
export interface FleetEffort {
  /** The polls over which the load of idle agents is measured. */
  readonly idlePolls: number
  /** The polls over which that of a run is: whole leases, since agents repeat their answers once in each. */
  readonly activePolls: number
  /** The runs that are closed, and those that are halted. */
  readonly trials: number
  /** The runs whose controller is killed: each takes a lease. */
  readonly kills: number
}

const MAX_PROCESSES = 4
/** Of agents without a run, by default, in ms. */
const IDLE_POLL_MS = 5_000
const POLLS_PER_LEASE = 5
/** The share of the time between two polls after which those that poll together have done so, and before which none polls again. */
const CLEAR_OF_CROWD = 0.4
const LOOK_MS = 50
/** Until agents and engine do what they do from then on. */
const SETTLE_MS = 2_000
/** The lease where the default one is too short, since the machine does other work as well. */
const LONG_LEASE_MS = 30_000
/** A call may wait behind those of all other agents of this machine. */
const PATIENT = { timeoutMs: 20_000 }

/** Measures a fleet of so many agents, over a few processes, on a Redis of its own. */
export async function measureFleet(agents: number, effort: FleetEffort): Promise<FleetPoint> {
  const engine = await startEngine({ options: ['--maxclients', '20000', '--tcp-backlog', '4096'] })
  try {
    const fleet = await makeFleet(engine)
    try {
      return await measured(engine, fleet, agents, effort)
    } finally {
      await fleet.stop()
    }
  } finally {
    await engine.stop()
  }
}

async function measured(
  engine: Engine,
  fleet: Fleet,
  agents: number,
  { idlePolls, activePolls, trials, kills }: FleetEffort,
): Promise<FleetPoint> {
  const redis = { host: '127.0.0.1', port: engine.port, ...PATIENT }
  const processes = Math.min(MAX_PROCESSES, agents)
  const { operator, events } = fleet
  const fullyApplied = () => events.when(() => events.inForce.size === agents)
  const allReverted = () => events.when(() => events.inForce.size === 0)

  // The same processes without agents: what they and the engine use then is not the fleet's.
  const empty = await fleet.addAgents({ agents: 0, processes })
  // What has just started is still being compiled.
  await sleep(2 * SETTLE_MS)
  const without = await windowOf({ pollMs: IDLE_POLL_MS, polls: 1 })
  const bareEngine = await engineCounts(engine.witness)
  const bare = sumOf(await Promise.all(empty.map((one) => one.counts())))
  await Promise.all(empty.map((one) => one.kill()))

  await fleet.addAgents({ agents, processes, redis })
  await sleep(SETTLE_MS)
  const idleWindow = await windowOf({ pollMs: IDLE_POLL_MS, polls: idlePolls })
  const fullEngine = await engineCounts(engine.witness)
  const full = sumOf(await counts())
  const listMs: number[] = []
  for (let time = 0; time < 5; time += 1) {
    const at = monotonicMs()
    const { length } = await operator.list()
    if (length !== agents) throw new Error(`Expected ${agents} instances, got ${length}.`)
    listMs.push(monotonicMs() - at)
  }

  const askedMs: number[] = []
  const appliedMs: number[] = []
  const closedMs: number[] = []
  const haltedMs: number[] = []
  const killedMs: number[] = []
  let begun = { bytes: Number.NaN, engineMs: Number.NaN, agentMs: Number.NaN }
  let active: Load | undefined
  let lostStarts = 0
  let leaseMs: number = DEFAULT_LEASE_MS

  let publishedAtMs = Number.NaN
  const ear = engine.witness.duplicate()
  ear.on('message', () => {
    if (Number.isNaN(publishedAtMs)) publishedAtMs = monotonicMs()
  })
  const controllerOf = (lease: number) => fleet.addController({ leaseMs: lease, readyWithinMs: 60_000, redis })
  /** Starts a run on all agents. @returns Its id, or `undefined` if it ended before the fault was in force everywhere */
  async function start(controller: ControllerProcess): Promise<string | undefined> {
    publishedAtMs = Number.NaN
    try {
      const [{ askedAtMs, id }] = await Promise.all([
        whenFree(() => controller.inject({ target: 'speaker[service=lab]', fault: 'lab/mute', leaseMs: 600_000 })),
        fullyApplied(),
      ])
      const { lastAppliedMs = Number.NaN } = accountSince(events, askedAtMs)
      askedMs.push(lastAppliedMs)
      appliedMs.push(askedAtMs + lastAppliedMs - publishedAtMs)
      return id
    } catch {
      lostStarts += 1
      await allReverted()
      await sleep(SETTLE_MS)
      return undefined
    }
  }
  const lastReverted = (atMs: number): number => accountSince(events, atMs).lastRevertedMs ?? Number.NaN

  try {
    await ear.subscribe(`{chaos:${fleet.name}}:wake`)
    let controller = await controllerOf(leaseMs)
    for (let trial = 0; trial < trials; trial += 1) {
      const [before, agentsBefore] = [await engineCounts(engine.witness), sumOf(await counts())]
      const id = await start(controller)
      const [after, agentsAfter] = [await engineCounts(engine.witness), sumOf(await counts())]
      if (id === undefined) {
        // Not even the default lease is long enough on this machine, now.
        leaseMs = LONG_LEASE_MS
        controller = await controllerOf(leaseMs)
        continue
      }
      // The last one counts: the first run of a process is compiled while it goes.
      begun = {
        bytes: (after.bytes - before.bytes - before.ownBytes) / agents,
        engineMs: after.cpuMs - before.cpuMs,
        agentMs: (agentsAfter.cpuMs - agentsBefore.cpuMs) / agents,
      }
      if (active === undefined) {
        await sleep(SETTLE_MS)
        active = loadOf(await windowOf({ pollMs: leaseMs / POLLS_PER_LEASE, polls: activePolls, running: controller }))
      }
      const [{ askedAtMs }] = await Promise.all([controller.stop(id), allReverted()])
      closedMs.push(lastReverted(askedAtMs))
    }
    for (let trial = 0; trial < trials; trial += 1) {
      if ((await start(controller)) === undefined) continue
      const at = monotonicMs()
      await Promise.all([operator.halt('a benchmark', 'bench'), allReverted()])
      haltedMs.push(lastReverted(at))
      await operator.permit(3_600_000, 'bench', 'a benchmark')
    }
    for (let trial = 0; trial < kills; trial += 1) {
      const victim = await controllerOf(KILLED_LEASE_MS)
      if ((await start(victim)) === undefined) continue
      const at = monotonicMs()
      await Promise.all([victim.kill(), allReverted()])
      killedMs.push(lastReverted(at))
    }
  } finally {
    ear.disconnect()
  }
  return {
    agents,
    processes,
    leaseMs,
    idle: loadOf(idleWindow),
    active,
    agentKib: (full.rssBytes - bare.rssBytes) / 1_024 / agents,
    engineKib: (fullEngine.memoryKib - bareEngine.memoryKib) / agents,
    connections: (fullEngine.clients - bareEngine.clients) / agents,
    startBytes: begun.bytes,
    startEngineMs: begun.engineMs,
    startAgentMs: begun.agentMs,
    lostStarts,
    listMs,
    askedMs,
    appliedMs,
    closedMs,
    haltedMs,
    killedMs,
  }

  function counts(): Promise<AgentCounts[]> {
    return Promise.all(fleet.processes.map((one) => one.counts()))
  }

  interface Window {
    readonly agentMsPerS: number
    readonly callsPerS: number
    readonly engineMsPerS: number
    readonly bytesPerS: number
    readonly controllerMsPerS: number
  }
  /**
   * Measures over so many polls. Agents that have joined or begun together poll in crowds, so that a window must not begin or end
   * within one.
   */
  async function windowOf({
    pollMs,
    polls,
    running,
  }: {
    readonly pollMs: number
    readonly polls: number
    readonly running?: ControllerProcess
  }): Promise<Window> {
    const reads = async (): Promise<number> => sumOf(await counts()).reads
    const joined = sumOf(await counts()).reads > 0 ? agents : 0
    for (const until = (await reads()) + joined; (await reads()) < until;) await sleep(LOOK_MS)
    await sleep(CLEAR_OF_CROWD * pollMs)
    const look = async (): Promise<readonly [ReturnType<typeof sumOf>, EngineCounts, number, number]> => [
      sumOf(await counts()),
      await engineCounts(engine.witness),
      running === undefined ? 0 : cpuMsOf(running.process.pid),
      monotonicMs(),
    ]
    const [agents0, engine0, controller0, at0] = await look()
    await sleep(polls * pollMs)
    const [agents1, engine1, controller1, at1] = await look()
    const seconds = (at1 - at0) / 1_000
    return {
      agentMsPerS: (agents1.cpuMs - agents0.cpuMs) / seconds,
      callsPerS: (agents1.reads + agents1.acks - agents0.reads - agents0.acks) / seconds,
      engineMsPerS: (engine1.cpuMs - engine0.cpuMs) / seconds,
      bytesPerS: (engine1.bytes - engine0.bytes - engine0.ownBytes) / seconds,
      controllerMsPerS: (controller1 - controller0) / seconds,
    }
  }
  function loadOf(now: Window): Load {
    const engineMsPerS = now.engineMsPerS - without.engineMsPerS
    return {
      agentCpu: (now.agentMsPerS - without.agentMsPerS) / 1_000 / agents,
      callsPerS: now.callsPerS / agents,
      bytesPerS: (now.bytesPerS - without.bytesPerS) / agents,
      engineCpu: engineMsPerS / 1_000,
      engineUsPerCall: (1_000 * engineMsPerS) / now.callsPerS,
      controllerCpu: now.controllerMsPerS / 1_000,
    }
  }
}

/** Waits until the last run has left the engine: its agents have reverted before its controller closes it, or its lease ends. */
async function whenFree<Result>(begin: () => Promise<Result>): Promise<Result> {
  for (const until = monotonicMs() + LONG_LEASE_MS; ;) {
    try {
      return await begin()
    } catch (error) {
      if (!(error as Error).message.includes('Another run concerns') || monotonicMs() > until) throw error
      await sleep(LOOK_MS)
    }
  }
}

function sumOf(all: readonly AgentCounts[]) {
  const sum = (name: keyof AgentCounts): number => all.reduce((total, one) => total + one[name], 0)
  return { reads: sum('reads'), acks: sum('acks'), cpuMs: sum('cpuMs'), rssBytes: sum('rssBytes') }
}
