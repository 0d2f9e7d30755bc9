import { startEngine } from '../engine.js'
import { makeFleet } from '../fleet.js'
import { promoteLagging, startPrimary } from '../promotion.js'
import { rollOver } from '../rolling-restart.js'
import { spreadOf, type Row } from './results.js'

const IDLE_POLL_MS = 500

interface Size {
  readonly agents: number
  readonly processes: number
  readonly leaseMs: number
}

/** Restarts all processes of a fleet in the middle of a run, several times. */
export async function soakRollingRestart({ agents, processes, leaseMs }: Size, trials: number): Promise<Row> {
  const [times, failures]: [number[], string[]] = [[], []]
  let reapplied = 0
  const engine = await startEngine()
  const fleet = await makeFleet(engine)
  try {
    await fleet.addAgents({ agents, processes, idlePollMs: IDLE_POLL_MS })
    for (let index = 0; index < trials; index += 1) {
      const controller = await fleet.addController({ leaseMs })
      const { id } = await controller.inject({ target: 'speaker', fault: 'mute' })
      const trial = await rollOver(fleet, { idlePollMs: IDLE_POLL_MS }, () => controller.stop(id))
      await controller.kill()
      times.push(trial.tookMs)
      reapplied += trial.reapplied + trial.orphans
    }
  } catch (error) {
    failures.push(String(error).slice(0, 500))
  } finally {
    await fleet.stop()
    await engine.stop()
  }
  return {
    ...others('agents: rolling restart', 'G3, G7', { agents, processes, leaseMs }, times.length, reapplied, failures),
    reverted: undefined,
  }
}

/** Promotes a replica that has not heard of a halt, several times, each time the replica of the one before. */
export async function soakPromotion({ agents, processes, leaseMs }: Size, trials: number): Promise<Row> {
  const [times, failures]: [number[], string[]] = [[], []]
  let reapplied = 0
  let primary = await startPrimary()
  const fleet = await makeFleet(primary)
  try {
    await fleet.addAgents({ agents, processes, idlePollMs: IDLE_POLL_MS })
    for (let index = 0; index < trials; index += 1) {
      const promotion = await promoteLagging(primary, fleet, leaseMs)
      ;({ primary } = promotion)
      const { confirmed, isForgotten, ...trial } = promotion.trial
      if (confirmed !== 0 || !isForgotten)
        failures.push('The replica had heard of the halt, so the trial shows nothing.')
      times.push(trial.revertedMs)
      reapplied += trial.reapplied
    }
  } catch (error) {
    failures.push(String(error).slice(0, 500))
  } finally {
    await fleet.stop()
    await primary.engine.stop()
  }
  return {
    ...others(
      'Redis: a lagging replica is promoted after a halt',
      'G3',
      { agents, processes, leaseMs },
      times.length,
      reapplied,
      failures,
    ),
    reverted: spreadOf(times),
  }
}

function others(
  name: string,
  promises: string,
  size: Size,
  trials: number,
  reapplied: number,
  failures: readonly string[],
): Omit<Row, 'reverted'> {
  return {
    name,
    promises,
    ...size,
    trials,
    appliedMs: [],
    asked: undefined,
    boundMs: undefined,
    beyondMs: undefined,
    reapplied,
    early: 0,
    failures,
  }
}
