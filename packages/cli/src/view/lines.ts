import type { AppEvent } from '@chaos/control'
import type { InjectionState, JournalEntry } from '@chaos/core'

/** The widest column that others are aligned behind, in characters. */
const MAX_WIDTH = 60

/** Rows in aligned columns, one line each. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, Math.min(MAX_WIDTH, (row[column] ?? '').length)), 0),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** An injection in one line. */
export function injectionLine(state: InjectionState, now: number): string {
  const left =
    state.status === 'ended'
      ? `ended (${state.outcome ?? ''})`
      : `${Math.max(0, (state.leaseEndsAt - now) / 1_000).toFixed(1)} s left`
  const held = state.held > 0 ? `, ${state.held} held` : ''
  // An id that was not chosen says what it is.
  const what = state.id.startsWith(`${state.fault}@${state.target}#`) ? '' : `${state.fault} into ${state.target}, `
  return `${state.id}: ${what}${left}, ${state.affected} of ${state.seen} operations affected${held}${state.landedAt === undefined ? ', has hit nothing' : ''}${accountOf(state)}`
}

/** What the fault counts of its own, such as `; sent 20, dropped 8`. */
function accountOf({ account }: InjectionState): string {
  const counts = Object.entries(account).map(([name, count]) => `${name} ${count}`)
  return counts.length === 0 ? '' : `; ${counts.join(', ')}`
}

/** What an app says of itself, in one line. */
export function appEventLine({ at, topic, data }: AppEvent): string {
  const said = Object.entries(data).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return `${timeOf(at)}  ${topic.padEnd(7)} ${said.join(' ')}`.trimEnd()
}

/** The time of day, in UTC. */
const timeOf = (at: number): string =>
  Math.abs(at) <= MAX_DATE_MS ? new Date(at).toISOString().slice(11, 23) : '--:--:--.---'

/** The last moment that a date can hold, in ms since the epoch. */
const MAX_DATE_MS = 8_640_000_000_000_000

/** A journal entry in one line. */
export function entryLine(entry: JournalEntry): string {
  const time = timeOf(entry.at)
  if (entry.type === 'hit') return `${time}  hit     ${entry.id}  ${entry.operation} #${entry.call}`
  if (entry.type === 'warning') return `${time}  warning ${entry.id}  ${entry.message}`
  const { injection } = entry
  const detail =
    entry.type === 'ended'
      ? `${injection.outcome ?? ''}, ${injection.affected} of ${injection.seen} affected${injection.landedAt === undefined ? ', hit nothing' : ''}${accountOf(injection)}`
      : ''
  return `${time}  ${entry.type.padEnd(7)} ${injection.id}  ${detail}`.trimEnd()
}
