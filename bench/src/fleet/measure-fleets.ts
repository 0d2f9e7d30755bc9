import { cpus } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { measureFleet, type FleetEffort } from './measure-fleet.js'
import { measureRelay, type RelayPoint } from './measure-relay.js'
import type { FleetPoint } from './point.js'

/** What was measured of fleets, and on what. */
export interface FleetResults {
  readonly date: string
  readonly node: string
  readonly platform: string
  readonly cpus: string
  readonly redis: string
  /** How many cores were busy before, while this process waited: what else the machine was doing. */
  readonly busyCores: number
  readonly points: readonly FleetPoint[]
  /** Fleets that could not be measured, and why. */
  readonly failures: readonly { readonly agents: number; readonly why: string }[]
  readonly relay: RelayPoint
}

/** How many agents the fleets have. */
const SIZES = [10, 50, 200, 500, 1_000, 2_000]
const EFFORT: FleetEffort = { idlePolls: 2, activePolls: 5, trials: 3, kills: 2 }
const RELAYED = { processes: 200, rounds: 30 }

/** Measures fleets of all sizes, one after another. Takes about 7 minutes. */
export async function measureFleets(redis: string, log: (line: string) => void): Promise<FleetResults> {
  const busyCores = await otherWork()
  const points: FleetPoint[] = []
  const failures: { agents: number; why: string }[] = []
  for (const agents of SIZES) {
    const startedAt = performance.now()
    try {
      points.push(await measureFleet(agents, EFFORT))
    } catch (error) {
      failures.push({ agents, why: (error as Error).message.split('\n', 1)[0] ?? '' })
    }
    log(
      `fleet: ${agents} agents: ${failures.find((one) => one.agents === agents)?.why ?? 'measured'} after ${Math.round((performance.now() - startedAt) / 1_000)} s`,
    )
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cpus: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    redis,
    busyCores,
    points,
    failures,
    relay: await measureRelay(RELAYED.processes, RELAYED.rounds),
  }
}

const WATCH_MS = 3_000

/** How many cores are busy while this process waits. */
async function otherWork(): Promise<number> {
  const before = cpus()
  await wait(WATCH_MS)
  return cpus().reduce((busy, { times }, core) => {
    const { times: then = times } = before[core] ?? {}
    const spent = (of: typeof times): number => of.user + of.nice + of.sys + of.irq
    const elapsed = spent(times) + times.idle - spent(then) - then.idle
    return busy + (elapsed > 0 ? (spent(times) - spent(then)) / elapsed : 0)
  }, 0)
}
