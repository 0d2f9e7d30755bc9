import { setTimeout as pause } from 'node:timers/promises'
import type { ControlledApp, Life } from './controlled-app.js'
import { startControlling, type Controls, type Harm } from './controlling-process.js'

/** What came of a controlling process that was harmed. */
export interface Trial {
  /** What it was doing. */
  readonly phase: string
  /** How long what it held was in force after the harm, in ms; 0 if nothing was. */
  readonly heldMs: number
  /** How long its last injection was in force, in ms; 0 if it never injected. */
  readonly lastedMs: number
}

/** What is on its way when the harm comes may still arrive within this time, in ms. */
const ON_ITS_WAY_MS = 500
const LOOK_EVERY_MS = 10

/**
 * Harms a controlling process at a moment of its life, and waits until nothing of it is in force.
 *
 * @param prefix What the ids of its injections begin with.
 * @param moment When the harm comes: so long after the process has said so many things, whatever the speed of the machine.
 */
export async function tryHarm(
  app: ControlledApp,
  prefix: string,
  controls: Controls,
  harm: Harm,
  moment: { readonly said: number; readonly afterMs: number },
): Promise<Trial> {
  const controlling = await startControlling(app, prefix, controls)
  try {
    if (moment.said > 0) await controlling.reaches(moment.said)
    await pause(moment.afterMs)
    controlling.suffer(harm)
    const [harmedAt, phase] = [performance.now(), controlling.phase()]
    const lives = (): readonly Life[] => app.injectionsOf(prefix)
    while (performance.now() < harmedAt + ON_ITS_WAY_MS || lives().some(({ endedAt }) => endedAt === undefined))
      await pause(LOOK_EVERY_MS)
    const last = lives().at(-1)
    return {
      phase,
      heldMs: Math.max(0, (last?.endedAt ?? 0) - harmedAt),
      lastedMs: last?.endedAt === undefined ? 0 : last.endedAt - last.armedAt,
    }
  } finally {
    await controlling.end()
  }
}
