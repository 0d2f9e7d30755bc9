import { clockOffset } from '../evidence/clock-offset.js'
import type { Curve, Evidence } from '../evidence/evidence.js'
import { maxStandstillMs, monitorOf } from '../evidence/signs-of-life.js'
import { asksMonitoring } from '../probes/probe-types.js'
import { seconds } from './words.js'

/**
 * Why a probe's data was stale when it was read; `undefined`: it was fresh. Stale data proves nothing about the system.
 */
export function stalenessProblem({ curves, guards, monitors, gate }: Evidence): string | undefined {
  for (const curve of [...curves, ...guards]) {
    const [offsetMs, maxAgeMs] = boundOf(curve, monitors)
    for (const { at, dataAt } of curve.samples) {
      if (dataAt === undefined || maxAgeMs === undefined || at < gate.from) continue
      const ageMs = at - (dataAt - offsetMs)
      if (ageMs > maxAgeMs)
        return `${curve.probe}: the data was ${seconds(ageMs)} old when it was read, expected at most ${seconds(maxAgeMs)}. Its source may have stopped updating.`
    }
  }
  return undefined
}

/** The offset of the clock that dates the data, and the oldest that the data may be. */
function boundOf(
  { source, origin, maxAgeMs }: Curve,
  monitors: Evidence['monitors'],
): readonly [offsetMs: number, maxAgeMs: number | undefined] {
  if (!asksMonitoring(source)) return [0, maxAgeMs]
  const monitor = monitorOf(monitors, origin)
  const offset = clockOffset(monitor?.clock ?? [])
  return [(offset?.offsetMs ?? 0) - (offset?.errorMs ?? 0), maxStandstillMs(monitor?.scrapeIntervalMs ?? 0)]
}
