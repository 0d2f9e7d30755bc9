import { muteRelay } from '@chaos/test-servers'
import { startEngine, type Engine } from './engine.js'
import type { Fleet } from './fleet.js'
import { accountSince, instantOf } from './timeline.js'

/** A Redis that has a replica, and is at an address that the replica can take over. */
export interface Primary {
  /** The Redis of now. */
  readonly engine: Engine
  readonly port: number
}

/** What a promotion has shown. */
export interface PromotionTrial {
  /** The replicas that had confirmed the halt when it was called. */
  readonly confirmed: number
  /** From the halt until the last instance was whole, in ms. */
  readonly revertedMs: number
  /** Whether the new primary still permitted runs, as if nobody had called a halt. */
  readonly isForgotten: boolean
  readonly reapplied: number
}

const LOOK_MS = 20
const OPTIONS = ['--repl-diskless-sync-delay', '0'] as const

/** Starts a Redis that can be replaced by a replica. */
export async function startPrimary(): Promise<Primary> {
  const engine = await startEngine({ options: OPTIONS })
  return { engine, port: engine.port }
}

/**
 * Calls a halt that the replica does not hear of, kills the primary, and lets the replica take its address over, as a virtual
 * IP does. The controller of the run is killed before.
 *
 * @returns What it has shown, and the new primary.
 */
export async function promoteLagging(
  { engine, port }: Primary,
  fleet: Fleet,
  leaseMs: number,
): Promise<{ readonly trial: PromotionTrial; readonly primary: Primary }> {
  const { events, operator, processes } = fleet
  const link = await muteRelay(port)
  const replica = await startEngine({ options: [...OPTIONS, '--replicaof', '127.0.0.1', String(link.port)] })
  try {
    await until(async () => (await replica.witness.info('replication')).includes('master_link_status:up'))
    await fleet.awake(engine)
    const controller = await fleet.addController({ leaseMs })
    await controller.inject({ target: 'speaker', fault: 'mute' })
    const all = processes.flatMap(({ ids }) => ids)
    await events.when(() => all.every((id) => events.inForce.has(id)))
    const runId = (await controller.runs()).at(-1)?.plan.runId ?? ''
    await controller.kill()

    link.isDeaf = true
    let confirmed = Number.NaN
    const atMs = await instantOf(async () => (confirmed = (await operator.halt('enough', 'anybody')).replicas))
    await events.when(() => events.inForce.size === 0)
    const { lastRevertedMs = Number.NaN } = accountSince(events, atMs)
    await engine.stop()
    link.stop()
    await replica.witness.replicaof('NO', 'ONE')
    await replica.witness.config('SET', 'port', String(port))
    await fleet.readAgain()
    const { isPermitted } = await operator.status()
    const reapplied = accountSince(events, atMs).applied + (await fleet.broken()).length
    // Who has heard of the halt says it again, and an operator permits what comes after it.
    await operator.halt('enough', 'anybody')
    await operator.permit(3_600_000, 'operator', 'a test')
    // Nobody renews it.
    await until(async () => (await replica.witness.exists(`{chaos:${fleet.name}}:run:${runId}`)) === 0)
    return {
      trial: { confirmed, revertedMs: lastRevertedMs, isForgotten: isPermitted, reapplied },
      primary: { engine: replica, port },
    }
  } catch (error) {
    link.stop()
    await replica.stop()
    throw error
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
}
