import { pollMs, type Harm } from './harms.js'
import type { Lab } from './lab.js'
import { accountSince, instantOf } from './timeline.js'

/** What one trial of a harm has shown. Times are in ms. */
export interface Trial {
  /** From the publication of the plan until the last instance was affected. */
  readonly appliedMs: number
  /** The same from the call of the controller, which chooses the instances and signs the plan first. */
  readonly askedMs: number
  /** From the harm until the last instance that it reaches was whole. */
  readonly revertedMs: number
  /** From the harm until the last call of an application that was affected. */
  readonly brokenMs: number
  /** The longest that an event loop of the agents was late meanwhile. */
  readonly lateMs: number
  /** How many were affected again after the harm, or are affected after it was healed. */
  readonly reapplied: number
  /** How many reverted before the harm. */
  readonly early: number
  /** Why the agents have reverted, with how many. */
  readonly whys: Readonly<Record<string, number>>
}

/**
 * Starts a run, harms the fleet in the middle of it, waits until every instance is whole, ends the harm, and waits until every
 * agent has read once more.
 *
 * @param phase When in the life of a lease the harm comes: 0 to 1 of the time between two renewals.
 */
export async function tryHarm(lab: Lab, harm: Harm, phase: number): Promise<Trial> {
  const { fleet, leaseMs } = lab
  const { events } = fleet
  const all = fleet.processes.flatMap(({ ids }) => ids)
  await fleet.awake(lab.engine)
  await harm.prepare?.(lab)
  const { id, askedAtMs, openedAtMs } = await lab.controller.inject({ target: 'speaker', fault: 'mute' })
  await events.when(() => all.every((one) => events.inForce.has(one)))
  const { lastAppliedMs: askedMs = Number.NaN } = accountSince(events, askedAtMs)
  const [run] = (await lab.controller.runs()).slice(-1)
  await new Promise((resolve) => setTimeout(resolve, phase * pollMs(leaseMs)))

  await fleet.watch()
  const early = accountSince(events, askedAtMs).reverted
  const { controller } = lab
  await harm.precede?.(lab)
  const atMs = await instantOf(() => harm.harm(lab))
  const reached = harm.reaches?.(lab) ?? all
  await events.when(() => reached.every((one) => !events.inForce.has(one)))
  const { lastRevertedMs = Number.NaN } = accountSince(events, atMs)
  const { lateMs, brokenAtMs } = await fleet.watch(reached)
  const whys = whysOf(await fleet.lines(), run?.plan.runId ?? '')

  await harm.heal(lab)
  // The controller that is left, if it is, must know what has become of its run.
  if (controller === lab.controller) await controller.stop(id)
  await events.when(() => events.inForce.size === 0)
  await fleet.readAgain()
  const broken = await fleet.broken()
  return {
    appliedMs: askedMs - (openedAtMs - askedAtMs),
    askedMs,
    revertedMs: lastRevertedMs,
    brokenMs: Math.max(0, brokenAtMs - atMs),
    lateMs,
    reapplied: accountSince(events, atMs).applied + broken.length,
    early,
    whys,
  }
}

/** Counts why agents say that a run has ended. */
function whysOf(lines: readonly string[], runId: string): Readonly<Record<string, number>> {
  const whys: Record<string, number> = {}
  for (const line of lines) {
    const [, of, why] = /run (\S+) has ended \((.*?)\)/.exec(line) ?? []
    if (of === runId && why !== undefined) whys[why] = (whys[why] ?? 0) + 1
  }
  return whys
}
