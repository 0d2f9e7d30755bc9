import type { Injections, Tracked } from '../model/injections.js'
import { arrange, el, setText } from './dom.js'
import { cut, injectionCard, type Card, type CardActions } from './injection-card.js'
import { timeView } from './time.js'

/** The injections in force, and those that have ended. */
export interface InjectionsView {
  update(
    injections: Pick<Injections, 'live' | 'ended'>,
    shown: { readonly isLive: boolean; readonly canRenew: boolean },
  ): void
}

/** The most cards. A fleet of faults beyond them is counted. */
const MAX_CARDS = 100

export function takeOverInjections(region: HTMLElement, actions: CardActions): InjectionsView {
  const cards = new Map<string, Card>()
  const rows = new Map<string, HTMLElement>()
  const none = el('p', { class: 'quiet' }, 'Nothing is in force. Choose a fault to inject one.')
  const list = el('div', { class: 'cards' })
  const rest = el('p', { class: 'quiet' })
  const endedCount = el('span', { class: 'quiet' })
  const endedBody = el('tbody')
  const ended = el(
    'details',
    { class: 'ended' },
    el('summary', {}, 'Ended ', endedCount),
    el(
      'div',
      // Wide content scrolls in a region of its own, also by keyboard.
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Ended injections' },
      el(
        'table',
        {},
        el('thead', {}, el('tr', {}, ...['ended', 'fault', 'target', 'outcome', 'affected of seen'].map(headOf))),
        endedBody,
      ),
    ),
  )
  region.replaceChildren(el('h2', {}, 'Injections'), none, list, rest, ended)

  function cardOf(tracked: Tracked): Card {
    const known = cards.get(tracked.key)
    if (known !== undefined) return known
    const made = injectionCard(tracked, actions)
    cards.set(tracked.key, made)
    return made
  }

  function rowOf(tracked: Tracked): HTMLElement {
    const known = rows.get(tracked.key)
    if (known !== undefined) return known
    const made = endedRow(tracked, actions.now)
    rows.set(tracked.key, made)
    return made
  }

  return {
    update({ live, ended: over }, shown) {
      const listed = live.slice(0, MAX_CARDS)
      for (const tracked of listed) cardOf(tracked).update(tracked, shown)
      const focused = document.activeElement
      const held = focused === null ? undefined : [...cards.values()].find(({ element }) => element.contains(focused))
      arrange(
        list,
        listed.map((tracked) => cardOf(tracked).element),
      )
      // Whoever pressed Stop stays near the list, and not at the top of the page.
      if (held !== undefined && !held.element.isConnected) focusOn(region)
      forgetOthers(cards, listed)
      none.hidden = listed.length > 0
      setText(rest, live.length > listed.length ? `and ${live.length - listed.length} more in force` : '')

      arrange(endedBody, over.map(rowOf))
      forgetOthers(rows, over)
      ended.hidden = over.length === 0
      setText(endedCount, `(${over.length})`)
    },
  }
}

function focusOn(region: HTMLElement): void {
  region.tabIndex = -1
  region.focus({ preventScroll: true })
}

function forgetOthers(made: Map<string, unknown>, tracked: readonly Tracked[]): void {
  const keys = new Set(tracked.map(({ key }) => key))
  for (const key of made.keys()) if (!keys.has(key)) made.delete(key)
}

const headOf = (text: string): HTMLElement => el('th', { scope: 'col' }, text)

function endedRow({ state, warnings }: Tracked, now: () => number): HTMLElement {
  const problems = [...state.failures, ...warnings]
  return el(
    'tr',
    {},
    el('td', {}, timeView(state.endedAt ?? state.leaseEndsAt, now)),
    el('th', { scope: 'row' }, el('code', {}, cut(state.fault))),
    el('td', {}, cut(state.target)),
    el(
      'td',
      { class: state.failures.length > 0 ? 'failed' : undefined },
      state.outcome ?? 'ended',
      ...(problems.length === 0 ? [] : [el('ul', {}, ...problems.slice(0, 20).map((text) => el('li', {}, cut(text))))]),
      state.evidence.length === 0 ? undefined : el('code', { class: 'evidence' }, cut(JSON.stringify(state.evidence))),
    ),
    el('td', {}, `${state.affected} of ${state.seen}`),
  )
}
