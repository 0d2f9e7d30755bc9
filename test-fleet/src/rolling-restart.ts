import type { AgentProcess } from './agents.js'
import type { AgentsOptions, Fleet } from './fleet.js'
import { accountSince, type Timeline } from './timeline.js'
import { monotonicMs } from './programs/monotonic.js'

/** What a rolling restart has shown. */
export interface RollingRestartTrial {
  /** From the first signal until the last new process has joined, in ms. */
  readonly tookMs: number
  /** How many were affected after the first signal that had not been before, or were affected again. */
  readonly reapplied: number
  /** How many are affected at the end, with the run over. */
  readonly orphans: number
}

/**
 * Replaces each process with agents by a new one, one after another, by SIGTERM.
 *
 * @param settled Resolves when the run that is in force is over.
 */
export async function rollOver(
  fleet: Fleet,
  options: Omit<AgentsOptions, 'agents' | 'processes'>,
  settled: () => Promise<unknown>,
): Promise<RollingRestartTrial> {
  const { events } = fleet
  const atMs = monotonicMs()
  for (const old of [...fleet.processes]) {
    await Promise.all([old.terminate(), replace(fleet, old, options)])
  }
  const tookMs = monotonicMs() - atMs
  await settled()
  await fleet.readAgain()
  return { tookMs, reapplied: accountSince(events, atMs).applied, orphans: await orphansOf(fleet, events) }
}

const replace = (fleet: Fleet, old: AgentProcess, options: Omit<AgentsOptions, 'agents'>): Promise<unknown> =>
  fleet.addAgents({ ...options, agents: old.ids.length })

async function orphansOf(fleet: Fleet, { inForce }: Timeline): Promise<number> {
  return new Set([...inForce, ...(await fleet.broken())]).size
}
