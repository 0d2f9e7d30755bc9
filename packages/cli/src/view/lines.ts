import type { AppEvent, AuditEntry } from '@chaos/control'
import type { InjectionState, JournalEntry, MintedScope } from '@chaos/core'
import type { ExperimentResult } from '@chaos/experiment'

/** The widest aligned column, in characters. */
const MAX_WIDTH = 60

/** Formats rows as lines with aligned columns. */
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

/** Summarises several experiments, one per line. The last line has the worst verdict and its cause. */
export function summaryLines(
  results: readonly ExperimentResult[],
  asked: number,
  worst: string | undefined,
): readonly string[] {
  const passed = results.filter(({ verdict }) => verdict.name === 'pass').length
  const missing = asked - results.length
  const first = results.find(({ verdict }) => verdict.name === worst && worst !== 'pass')
  const cause = first === undefined ? '' : `; ${first.title}: ${first.verdict.cause}`
  return [
    '',
    ...columns(results.map(({ title, verdict }) => [verdict.name, title])),
    `${worst ?? 'none'}: ${passed} of ${asked} experiments passed${missing === 0 ? '' : `, ${missing} did not run`}${cause}`,
  ]
}

/** Formats an injection as one line. */
export function injectionLine(state: InjectionState, now: number): string {
  const held = state.held > 0 ? `, ${state.held} held` : ''
  // A default id already contains fault and target.
  const what = state.id.startsWith(`${state.fault}@${state.target}#`) ? '' : `${state.fault} into ${state.target}, `
  return `${state.id}: ${what}${statusOf(state, now)}, ${affectedOf(state)}${held}${accountOf(state)}`
}

function statusOf({ status, outcome, leaseEndsAt }: InjectionState, now: number): string {
  if (status === 'ended') return `ended (${outcome ?? ''})`
  const left = `${Math.max(0, (leaseEndsAt - now) / 1_000).toFixed(1)} s`
  return status === 'active' ? `in force for ${left}` : `${status}, ${left} left`
}

/** Formats the number of hits. No hit yet is not a failure for a fault that was just injected. */
function affectedOf({ affected, seen, status, landedAt }: InjectionState): string {
  if (affected > 0 || landedAt !== undefined) return `${affected} of ${seen} operations affected`
  const nothing = status === 'ended' ? 'nothing affected' : 'nothing affected yet'
  return seen === 0 ? nothing : `${nothing} (${seen} operations seen)`
}

/** Formats the options that repeat the decisions of an injection. */
export function replayLine({ seed, id }: Pick<InjectionState, 'seed' | 'id'>): string {
  return `same decisions again: --seed ${quoted(seed)} --id ${quoted(id)}`
}

/** Quotes a text for a shell. */
const quoted = (text: string): string => (/^[\w@#/.:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** Formats the fault's own counters: `; sent 20, dropped 8`. */
function accountOf({ account }: InjectionState): string {
  const counts = Object.entries(account).flatMap(([name, count]) => (count === 0 ? [] : [`${name} ${count}`]))
  return counts.length === 0 ? '' : `; ${counts.join(', ')}`
}

/** Formats an app event as one line. */
export function appEventLine({ at, topic, data }: AppEvent): string {
  const said = Object.entries(data).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return `${timeOf(at)}  ${topic.padEnd(7)} ${said.join(' ')}`.trimEnd()
}

/** Formats the time of day in UTC. */
const timeOf = (at: number): string =>
  Math.abs(at) <= MAX_DATE_MS ? new Date(at).toISOString().slice(11, 23) : '--:--:--.---'

/** The latest time that a `Date` can represent, in ms since the epoch. */
const MAX_DATE_MS = 8_640_000_000_000_000

/** Formats an entry of the audit log as one line: when, who, what, with which outcome. */
export function auditLine(entry: AuditEntry): string {
  const { at, operation, by = 'nobody known', actor, peer, request = {}, ids = [], status, code, outcome } = entry
  const { target, fault } = request
  const what = typeof target === 'string' && typeof fault === 'string' ? ` ${fault} into ${target}` : ''
  const which = ids.length === 0 ? '' : ` ${ids.join(', ')}`
  const who = [actor, `by ${by}`, peer === undefined ? undefined : `from ${peer}`].filter((part) => part !== undefined)
  const end = code ?? outcome ?? 'done'
  const repeated = entry.isRepeated === true ? ', answered again' : ''
  const unlisted = entry.unlisted === undefined ? '' : `; ${entry.unlisted} more before it`
  return `${timeOf(at)}  ${operation}${what}${which}: ${status} ${end}${repeated}  (${who.join(', ')})${unlisted}`
}

/**
 * Formats a minted scope: until when it lasts, its header, and commands that send a request in it and break it.
 *
 * @param app The address of the app, as a shell takes it.
 */
export function scopeLines({ id, header, expiresAt }: MintedScope, app: string): readonly string[] {
  const until = Math.abs(expiresAt) <= MAX_DATE_MS ? new Date(expiresAt).toISOString() : 'an unknown time'
  return [
    `scope ${id}, until ${until}`,
    `baggage: ${header}`,
    `curl -H 'baggage: ${header}' ${app}`,
    `chaos inject <target> <fault> --scope ${id}`,
  ]
}

/** Formats a journal entry as one line. */
export function entryLine(entry: JournalEntry): string {
  const time = timeOf(entry.at)
  if (entry.type === 'hit') return `${time}  hit     ${entry.id}  ${entry.operation} #${entry.call}`
  if (entry.type === 'warning') return `${time}  warning ${entry.id}  ${entry.message}`
  const { injection } = entry
  const detail =
    entry.type === 'ended'
      ? `${injection.outcome ?? ''}, ${affectedOf(injection)}${accountOf(injection)}`
      : entry.type === 'armed'
        ? `seed ${injection.seed}`
        : entry.type === 'renewed'
          ? `in force for ${((injection.leaseEndsAt - entry.at) / 1_000).toFixed(1)} s`
          : ''
  return `${time}  ${entry.type.padEnd(7)} ${injection.id}  ${detail}`.trimEnd()
}
