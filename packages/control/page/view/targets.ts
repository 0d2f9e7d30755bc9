import type { FaultInfo, TargetInfo } from '../data/types.js'
import { button, el, setAttribute } from './dom.js'

/** The list of targets and what can befall them. */
export interface Targets {
  update(targets: readonly TargetInfo[], faults: readonly FaultInfo[]): void
}

/** The most targets, and the most faults of each, that are listed. */
const MAX_TARGETS = 500
const MAX_FAULTS = 200

interface Entry {
  readonly element: HTMLElement
  readonly text: string
}
interface Group {
  readonly element: HTMLDetailsElement
  readonly name: string
  readonly entries: readonly Entry[]
}

export function takeOverTargets(region: HTMLElement, onChoose: (target: string, fault: string) => void): Targets {
  const filter = el('input', { id: 'target-filter', type: 'search', placeholder: 'bus, delay, …', autocomplete: 'off' })
  const list = el('div', { class: 'target-list' })
  const none = el('p', { class: 'quiet', hidden: true }, 'Nothing matches the filter.')
  let groups: readonly Group[] = []
  let shown = ''

  region.replaceChildren(
    el('h2', {}, 'Targets'),
    el('label', { for: 'target-filter' }, 'Filter targets and faults'),
    filter,
    list,
    none,
  )
  filter.addEventListener('input', apply)

  function apply(): void {
    const wanted = filter.value.trim().toLowerCase()
    let matches = 0
    for (const { element, name, entries } of groups) {
      const whole = name.toLowerCase().includes(wanted)
      let count = 0
      for (const entry of entries) {
        entry.element.hidden = !whole && !entry.text.includes(wanted)
        if (!entry.element.hidden) count += 1
      }
      element.hidden = count === 0 && !(whole && entries.length === 0)
      if (wanted !== '' && count > 0) element.open = true
      matches += element.hidden ? 0 : 1
    }
    none.hidden = matches > 0 || groups.length === 0
  }

  function groupOf(target: TargetInfo, summaries: ReadonlyMap<string, string>, isOpen: boolean): Group {
    const entries = target.faults.slice(0, MAX_FAULTS).map((fault) => {
      const summary = summaries.get(fault) ?? ''
      const choose = button('', () => onChoose(target.name, fault))
      choose.append(el('span', { class: 'fault-name' }, fault), el('span', { class: 'summary' }, summary))
      return { element: el('li', {}, choose), text: `${fault} ${summary}`.toLowerCase() }
    })
    const rest = target.faults.length - entries.length
    const element = el(
      'details',
      {},
      el('summary', {}, target.name, el('span', { class: 'quiet' }, ` ${target.faults.length}`)),
      el('ul', {}, ...entries.map((entry) => entry.element)),
      rest > 0 ? el('p', { class: 'quiet' }, `and ${rest} more`) : undefined,
    )
    setAttribute(element, 'open', isOpen)
    return { element, name: target.name, entries }
  }

  return {
    update(targets, faults) {
      // The list is made anew only when it differs: else the focus would be lost each time.
      const now = JSON.stringify(targets)
      if (now === shown) return
      shown = now
      const open = new Set(groups.filter(({ element }) => element.open).map(({ name }) => name))
      const summaries = new Map(faults.map(({ name, summary }) => [name, summary]))
      groups = targets
        .slice(0, MAX_TARGETS)
        .map((target) => groupOf(target, summaries, targets.length <= 3 || open.has(target.name)))
      const rest = targets.length - groups.length
      list.replaceChildren(
        ...groups.map(({ element }) => element),
        ...(targets.length === 0 ? [el('p', { class: 'quiet' }, 'The process has no targets.')] : []),
        ...(rest > 0 ? [el('p', { class: 'quiet' }, `and ${rest} more`)] : []),
      )
      apply()
    },
  }
}
