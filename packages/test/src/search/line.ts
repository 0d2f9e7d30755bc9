import type { SearchResult } from './search.js'

/** Whether no set was left out: each was run, or cannot be, or contains a smaller finding, and nothing hints at runs that differ by chance. */
export function isComplete(result: SearchResult): boolean {
  return result.inferred === 0 && isCovered(result)
}

/** The same, if what was inferred from other runs is right. */
function isCovered(result: SearchResult): boolean {
  const { left, unstable, notReached, notRepeated, drifted, late, spoiledBy, brokenAfter, failure } = result
  return (
    left + unstable.length + notReached.length + notRepeated.length + drifted.length + late.length === 0 &&
    [spoiledBy, brokenAfter, failure].every((problem) => problem === undefined)
  )
}

/** What was tried and what was not, in one line. */
export function lineOf(result: SearchResult): string {
  const { points, depth, sets, run, pruned, unstable, audit, notReached, notRepeated, drifted, ms } = result
  const all = Object.values(pruned).reduce((sum, count) => sum + count, 0)
  const reasons = Object.entries(pruned)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${grouped(count)} ${name}`)
  return [
    `${counted(points.length, 'point')} × ${kindsOf(result)}, depth ${depth}: ${grouped(run)} of ${grouped(sets)} sets run`,
    ...(all > 0 ? [`${grouped(all)} pruned (${reasons.join(', ')})`] : []),
    ...(unstable.length > 0 ? [`${counted(unstable.length, 'unstable point')} left out`] : []),
    ...(notReached.length > 0 ? [`${counted(notReached.length, 'set')} not reached again`] : []),
    ...(notRepeated.length > 0 ? [`${counted(notRepeated.length, 'set')} broke once and not again`] : []),
    ...(drifted.length > 0 ? [`${counted(drifted.length, 'point')} not the same after the search`] : []),
    ...(result.late.length > 0 ? [counted(result.late.length, 'late error')] : []),
    ...(audit.made > 0 ? [`audit ${audit.agreed} of ${audit.made} agree`] : []),
    ...audit.off.map((name) => `pruning by ${name} turned off`),
    secondsOf(ms),
    conclusionOf(result),
  ].join('; ')
}

function conclusionOf(result: SearchResult): string {
  if (isComplete(result)) return 'complete'
  if (isCovered(result)) return `complete but for ${counted(result.inferred, 'inferred set')}`
  const why = whyStopped(result)
  const remains = result.left > 0 ? [`${counted(result.left, 'set')} ${result.left === 1 ? 'remains' : 'remain'}`] : []
  const reasons = [...remains, ...(why === undefined ? [] : [why])]
  return reasons.length === 0 ? 'not complete' : `not complete: ${reasons.join(', ')}`
}

function whyStopped({ spoiledBy, brokenAfter, stoppedBy }: SearchResult): string | undefined {
  if (spoiledBy !== undefined) return 'a finding spoiled the runs after it'
  return stoppedBy ?? (brokenAfter === undefined ? undefined : 'a run without a fault breaks after the search')
}

function kindsOf({ points }: SearchResult): string {
  const counts = points.map(({ kinds }) => kinds.length)
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  if (points.length === 0) return '0 kinds'
  return least === most ? counted(most, 'kind') : `${least} to ${most} kinds`
}

/** `1 point`, `2,581 points` */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

function secondsOf(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}
