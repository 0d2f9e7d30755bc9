import type { HitEntry } from '../data/types.js'
import type { Tracked } from '../model/injections.js'
import { span } from '../model/times.js'
import { button, el, setText } from './dom.js'
import { sparkline } from './sparkline.js'
import { timeView } from './time.js'

/** What can be done with an injection. */
export interface CardActions {
  readonly stop: (id: string) => void
  readonly renew: (id: string) => void
  /** The time of the process, in ms since the epoch. */
  readonly now: () => number
}

/** An injection in force. */
export interface Card {
  readonly element: HTMLElement
  update(tracked: Tracked, shown: { readonly isLive: boolean; readonly canRenew: boolean }): void
}

/** The most characters of a text of an injection. */
const MAX_TEXT = 300

export function injectionCard({ state }: Tracked, { stop, renew, now }: CardActions): Card {
  const ends = el('span', { class: 'countdown' })
  const leaseEnd = el('span')
  const affected = el('dd')
  const seen = el('dd')
  const held = el('dd')
  const note = el('p', { class: 'quiet' })
  const hits = el('ol', { class: 'hits' })
  const warnings = el('ul', { class: 'warnings' })
  const spark = sparkline()
  const renewal = button('Renew +30 s', () => renew(state.id), { 'aria-label': `Renew +30 s: ${cut(state.id)}` })
  const stopping = button('Stop', () => stop(state.id), { 'aria-label': `Stop ${cut(state.id)}`, class: 'stop' })
  const options = Object.entries(state.options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  let leaseEndsAt = NaN
  let newestHit: HitEntry | undefined

  const element = el(
    'article',
    { class: 'injection', 'aria-label': `${state.fault} on ${state.target}` },
    el('h3', {}, el('code', {}, cut(state.fault)), ' on ', el('span', { class: 'target' }, cut(state.target))),
    el('p', { class: 'quiet id' }, cut(state.id)),
    el('p', { class: 'quiet' }, cut(options.join(', '))),
    el(
      'p',
      { class: 'times' },
      el('span', {}, 'since ', timeView(state.armedAt, now)),
      el('span', {}, 'ends ', leaseEnd, ' ', ends),
    ),
    el(
      'dl',
      { class: 'counts' },
      el('div', {}, el('dt', {}, 'affected'), affected),
      el('div', {}, el('dt', {}, 'seen'), seen),
      el('div', {}, el('dt', {}, 'held'), held),
    ),
    el(
      'div',
      { class: 'activity' },
      el('figure', {}, spark.element, el('figcaption', { class: 'quiet' }, 'hits per second, last 60 s')),
      hits,
    ),
    note,
    warnings,
    el('p', { class: 'actions' }, renewal, stopping),
  )

  return {
    element,
    update({ state: current, lastHits, rate, warnings: told }, { isLive, canRenew }) {
      const left = current.leaseEndsAt - now()
      setText(
        ends,
        isLive ? (current.status === 'ending' ? '(ending)' : `(${left > 0 ? `in ${span(left)}` : 'now'})`) : '',
      )
      if (current.leaseEndsAt !== leaseEndsAt) {
        leaseEndsAt = current.leaseEndsAt
        leaseEnd.replaceChildren(timeView(leaseEndsAt, now))
      }
      setText(affected, String(current.affected))
      setText(seen, String(current.seen))
      setText(held, String(current.held))
      spark.update(rate.counts(now()))
      if (lastHits[0] !== newestHit) {
        newestHit = lastHits[0]
        hits.replaceChildren(...lastHits.map((hit) => hitView(hit, now)))
      }
      setText(
        note,
        current.status === 'arming' ? 'It is being put in force.' : current.affected === 0 ? 'No hit so far.' : '',
      )
      if (warnings.childElementCount !== told.length)
        warnings.replaceChildren(...told.map((text) => el('li', {}, cut(text))))
      renewal.hidden = !canRenew || current.status !== 'active'
      renewal.disabled = stopping.disabled = !isLive
    },
  }
}

const hitView = ({ at, operation, scope }: HitEntry, now: () => number): HTMLElement =>
  el(
    'li',
    {},
    timeView(at, now),
    ' ',
    el('code', {}, cut(operation)),
    scope === undefined ? undefined : el('span', { class: 'quiet' }, ` in ${cut(scope)}`),
  )

/** A text of the process, bounded. */
export const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)
