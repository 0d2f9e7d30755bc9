import type { InjectionInstance, InjectionInstances, InjectionState } from '@chaos/core'
import { line } from './escape.js'

/** Up to this many instances have a line each in a text. More are grouped. */
const MAX_LINES = 12
/** The most groups in a text, and the most instances that a group names. */
const MAX_GROUPS = 10
const MAX_NAMED = 3
/** The longest name in a line, in characters. */
const MAX_NAME = 80
/** The longest reason in a line, in characters. */
const MAX_WHY = 300

type Told = Pick<InjectionState, 'instances'>

/**
 * What each process did, as lines of a text. Many are grouped by what they did and why, the rarest first, since a rare end is
 * the one that needs a look.
 */
export function instanceLines({ instances }: Told): readonly string[] {
  if (instances === undefined) return []
  const { list } = instances
  const rows = list.length <= MAX_LINES ? list.map(lineOf) : groupLines(list)
  const unlisted = unlistedOf(instances)
  return [
    `  instances        ${totalOf(instances)}: ${countsOf(instances)}`,
    ...rows.map((row) => `                   ${row}`),
    ...(unlisted === 0 ? [] : [`                   ${unlisted} more are counted and not listed`]),
  ]
}

/** The number of processes. */
export const totalOf = ({ counts }: InjectionInstances): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)

/** How many processes are counted and not listed. */
export const unlistedOf = (instances: InjectionInstances): number =>
  Math.max(0, totalOf(instances) - instances.list.length)

/** The number of processes by status: `197 reverted, 3 refused`. */
export function countsOf({ counts }: InjectionInstances): string {
  const all = Object.entries(counts).map(([status, count]) => `${count} ${short(status)}`)
  return [...all.slice(0, MAX_GROUPS), ...(all.length > MAX_GROUPS ? ['…'] : [])].join(', ')
}

function lineOf({ id, service, status, why, hits }: InjectionInstance): string {
  const reason = why === undefined ? '' : `, ${cut(why, MAX_WHY)}`
  return `${short(status).padEnd(11)} ${short(id)}${service === undefined ? '' : ` (${short(service)})`}: ${hitsOf(hits)}${reason}`
}

function groupLines(list: readonly InjectionInstance[]): readonly string[] {
  const groups = new Map<string, InjectionInstance[]>()
  for (const one of list) {
    const key = JSON.stringify([one.status, one.why])
    const known = groups.get(key)
    if (known === undefined) groups.set(key, [one])
    else known.push(one)
  }
  const ordered = [...groups.values()].sort((a, b) => a.length - b.length)
  const [shown, rest] = [ordered.slice(0, MAX_GROUPS), ordered.slice(MAX_GROUPS).flat()]
  return [
    ...shown.map(groupLine),
    ...(rest.length === 0
      ? []
      : [`and ${rest.length} more, in ${ordered.length - MAX_GROUPS} groups: ${hitsOf(hitsIn(rest))}`]),
  ]
}

function groupLine(group: readonly InjectionInstance[]): string {
  const { status = '', why } = group[0] ?? {}
  const named = group.slice(0, MAX_NAMED).map(({ id }) => short(id))
  const more = group.length > MAX_NAMED ? ` and ${group.length - MAX_NAMED} more` : ''
  const reason = why === undefined ? '' : ` (${cut(why, MAX_WHY)})`
  return `${short(status).padEnd(11)} ${group.length} with ${hitsOf(hitsIn(group))}${reason}: ${named.join(', ')}${more}`
}

const hitsIn = (group: readonly InjectionInstance[]): number => group.reduce((sum, { hits }) => sum + hits, 0)
const hitsOf = (hits: number): string => `${hits} ${hits === 1 ? 'hit' : 'hits'}`
const cut = (text: string, max: number): string => (text.length > max ? `${line(text.slice(0, max))}…` : line(text))
const short = (text: string): string => cut(text, MAX_NAME)
