import { fateTable } from './fate-table.js'
import type { LiveExploration } from './live-exploration.js'

/** The account of a search as data. */
export function reportJson(exploration: LiveExploration): unknown {
  const { name, line, complete, findings, leftOut, result } = exploration
  const { points: _points, fates: _fates, findings: _findings, ...counts } = result
  return { version: 1, name, line, complete, findings, map: fateTable(result), leftOut, ...counts }
}
