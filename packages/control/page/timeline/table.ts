import type { LifeEvent, Moment } from '../model/record.js'
import { preciseTime } from '../model/times.js'
import { el } from '../view/dom.js'

/** The timeline as a table: for screen readers, and in the exported file. */
export function momentTable(moments: readonly Moment[], caption: string): HTMLTableElement {
  return el(
    'table',
    {},
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, ...['time', 'what', 'of', 'details'].map((text) => el('th', { scope: 'col' }, text)))),
    el('tbody', {}, ...moments.map(momentRow)),
  )
}

const MAX_TEXT = 500

function momentRow(moment: Moment): HTMLElement {
  const { what, of, details } = wordsOf(moment)
  return el(
    'tr',
    {},
    el('td', {}, preciseTime(moment.at)),
    el('td', {}, what),
    el('td', {}, of.slice(0, MAX_TEXT)),
    el('td', {}, details.slice(0, MAX_TEXT)),
  )
}

function wordsOf(moment: Moment): { readonly what: string; readonly of: string; readonly details: string } {
  switch (moment.type) {
    case 'hits':
      return { what: 'hits', of: moment.id, details: `${moment.count} in a second, first ${moment.operation}` }
    case 'warning':
      return { what: 'warning', of: moment.id, details: moment.text }
    case 'app':
      return { what: 'app event', of: moment.event.topic, details: JSON.stringify(moment.event.data) }
    case 'page':
      return { what: 'this page', of: '', details: moment.text }
    case 'armed':
    case 'landed':
    case 'renewed':
    case 'ended':
      return { what: moment.type, of: moment.injection.id, details: lifeWords(moment.type, moment.injection) }
  }
}

function lifeWords(
  type: LifeEvent,
  {
    fault,
    target,
    outcome,
    affected,
    seen,
    failures,
    leaseEndsAt,
  }: Extract<Moment, { readonly injection: unknown }>['injection'],
): string {
  const name = `${fault} on ${target}`
  if (type === 'renewed') return `${name}: the lease ends at ${preciseTime(leaseEndsAt)}`
  if (type !== 'ended') return name
  return [`${name}: ${outcome ?? 'ended'}, ${affected} of ${seen} affected`, ...failures].join('; ')
}
