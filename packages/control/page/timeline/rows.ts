import type { Moment } from '../model/record.js'

/** A stretch of a row: an injection in force, an alert that fires. `to` is open while it lasts. */
export interface Bar {
  readonly from: number
  readonly to: number | undefined
  readonly kind: 'fault' | 'alert'
  readonly text: string
}

/** A point of a row. */
export interface Mark {
  readonly at: number
  readonly kind: 'hits' | 'landed' | 'warning' | 'event'
  /** Hits in this second; 1 for others. */
  readonly count: number
  readonly text: string
}

/** One line of the timeline. */
export interface Row {
  readonly key: string
  readonly label: string
  readonly bars: Bar[]
  readonly marks: Mark[]
}

/** The most rows of the chart. The newest ones are shown; the table has all. */
const MAX_ROWS = 40
const MAX_LABEL = 120

/** The rows of a timeline: what the app reported first, then one for each injection, in the order of arming. */
export function rowsOf(moments: readonly Moment[]): readonly Row[] {
  const injections = new Map<string, Row>()
  /** The row of the newest injection of each id. */
  const current = new Map<string, Row>()
  const reported = new Map<string, Row>()

  const rowIn = (rows: Map<string, Row>, key: string, label: string): Row => {
    const known = rows.get(key)
    if (known !== undefined) return known
    const made: Row = { key, label: label.slice(0, MAX_LABEL), bars: [], marks: [] }
    rows.set(key, made)
    return made
  }

  for (const moment of moments) {
    if (moment.type === 'hits' || moment.type === 'warning') {
      const row = current.get(moment.id) ?? rowIn(injections, moment.id, moment.id)
      row.marks.push(
        moment.type === 'hits'
          ? {
              at: moment.at,
              kind: 'hits',
              count: moment.count,
              text: `${moment.count} hits, ${moment.operation} first`,
            }
          : { at: moment.at, kind: 'warning', count: 1, text: moment.text },
      )
    } else if (moment.type === 'app') takeAppEvent(moment)
    else if (moment.type === 'page')
      rowIn(reported, 'page', 'this page').marks.push({ at: moment.at, kind: 'event', count: 1, text: moment.text })
    else takeLife(moment)
  }

  function takeLife({ type, at, injection }: Extract<Moment, { readonly injection: unknown }>): void {
    const name = `${injection.fault} on ${injection.target}`
    const row = rowIn(injections, `${injection.id} ${injection.armedAt}`, name)
    current.set(injection.id, row)
    if (type === 'landed') row.marks.push({ at, kind: 'landed', count: 1, text: `${name}: landed` })
    if (type === 'renewed') row.marks.push({ at, kind: 'event', count: 1, text: `${name}: lease renewed` })
    const to = type === 'ended' ? (injection.endedAt ?? at) : undefined
    const text = type === 'ended' ? `${name}: ${injection.outcome ?? 'ended'}, ${injection.affected} affected` : name
    const bar: Bar = { from: injection.armedAt, to, kind: 'fault', text }
    // The newest entry says all that earlier ones said.
    row.bars.splice(0, row.bars.length, bar)
  }

  function takeAppEvent({ at, event: { topic, data } }: Extract<Moment, { readonly type: 'app' }>): void {
    const name = textOf(data['alert']) ?? textOf(data['name'])
    const state = textOf(data['state']) ?? textOf(data['status'])
    const row = rowIn(reported, `${topic} ${name ?? ''}`, name === undefined ? topic : `${topic} ${name}`)
    const open = row.bars[row.bars.length - 1]
    if (state === 'firing') {
      if (open === undefined || open.to !== undefined)
        row.bars.push({ from: at, to: undefined, kind: 'alert', text: `${row.label}: firing` })
    } else if (state === 'resolved' && open !== undefined && open.to === undefined)
      row.bars.splice(-1, 1, { ...open, to: at, text: `${row.label}: fired, then resolved` })
    else row.marks.push({ at, kind: 'event', count: 1, text: `${row.label}${state === undefined ? '' : `: ${state}`}` })
  }

  return [...reported.values(), ...[...injections.values()].slice(-MAX_ROWS)].slice(0, 2 * MAX_ROWS)
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
