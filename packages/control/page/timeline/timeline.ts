import type { TimelineRecord } from '../model/record.js'
import { MAX_MOMENTS } from '../model/record.js'
import { span } from '../model/times.js'
import { button, el, setText } from '../view/dom.js'
import { drawChart, type Chart } from './chart.js'
import { rowsOf } from './rows.js'
import { momentTable } from './table.js'
import { moved, zoomed, type Window } from './window.js'

export interface Timeline {
  /** Draws what is new, unless the timeline is paused. */
  update(): void
}

/** What the timeline stands on. */
export interface TimelineParts {
  readonly record: TimelineRecord
  readonly now: () => number
  /** Saves the timeline as a file. */
  readonly save: () => Promise<void>
}

/** The part of time that is shown at first, in ms. */
const FIRST_MS = 60_000
const ZOOM = 1.5
/** The most rows of the table. The file has all. */
const MAX_TABLE_ROWS = 500

export function takeOverTimeline(region: HTMLElement, { record, now, save }: TimelineParts): Timeline {
  let window: Window = { from: now() - FIRST_MS, to: now() }
  /** Whether the end of the window follows the time. */
  let isFollowing = true
  let chart: Chart | undefined
  let focusedKey: string | undefined

  const pause = button('Pause', () => follow(!isFollowing), { 'aria-pressed': 'false' })
  const range = el('span', { class: 'quiet' })
  const tip = el('p', { class: 'tip', id: 'timeline-tip' }, 'Point at an event, or go to it with the arrow keys.')
  const saved = el('span', { role: 'status', class: 'quiet' })
  const tableBox = el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Events as a table' })
  const table = el('details', {}, el('summary', {}, 'Events as a table'), tableBox)
  const box = el('div', { class: 'chart-box' })
  region.replaceChildren(
    el('h2', {}, 'Timeline'),
    el(
      'div',
      { class: 'actions', role: 'group', 'aria-label': 'Timeline controls' },
      pause,
      button('Zoom in', () => zoom(1 / ZOOM)),
      button('Zoom out', () => zoom(ZOOM)),
      button('Earlier', () => move(-0.5)),
      button('Later', () => move(0.5)),
      button('Export', () => void saveFile()),
      saved,
      range,
    ),
    box,
    tip,
    table,
  )
  table.addEventListener('toggle', drawTable)
  box.addEventListener('focusin', ({ target }) => tell(target))
  box.addEventListener('pointerover', ({ target }) => tell(target))
  box.addEventListener('keydown', onKey)
  box.addEventListener(
    'wheel',
    (event) => {
      // Without a modifier, the wheel scrolls the page.
      if (!event.ctrlKey && !event.shiftKey) return
      event.preventDefault()
      const { left, width } = box.getBoundingClientRect()
      const share = Math.min(Math.max((event.clientX - left) / width, 0), 1)
      zoom((event.deltaY || event.deltaX) > 0 ? ZOOM : 1 / ZOOM, window.from + share * (window.to - window.from))
    },
    { passive: false },
  )

  function follow(shall: boolean): void {
    isFollowing = shall
    setText(pause, isFollowing ? 'Pause' : 'Follow')
    pause.setAttribute('aria-pressed', String(!isFollowing))
    update()
  }

  function zoom(factor: number, around?: number): void {
    window = zoomed(window, factor, isFollowing ? window.to : (around ?? (window.from + window.to) / 2))
    draw()
  }

  function move(share: number): void {
    window = moved(window, share)
    if (isFollowing) follow(false)
    else draw()
  }

  function onKey(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, () => void>> = {
      ArrowRight: () => step(1),
      ArrowLeft: () => step(-1),
      Home: () => focusItem(0),
      End: () => focusItem((chart?.items.length ?? 0) - 1),
      '+': () => zoom(1 / ZOOM),
      '-': () => zoom(ZOOM),
    }
    const run = steps[event.key]
    if (run === undefined || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    run()
  }

  function step(by: number): void {
    const items = chart?.items ?? []
    const at = items.findIndex(({ key }) => key === focusedKey)
    focusItem(Math.min(Math.max(at + by, 0), items.length - 1))
  }

  function focusItem(index: number): void {
    const item = chart?.items[index]
    if (item === undefined) return
    focusedKey = item.key
    markTabStop()
    item.element.focus()
  }

  /** One event of the chart can be reached by Tab, the others from there by arrow keys. */
  function markTabStop(): void {
    const items = chart?.items ?? []
    const stop = items.find(({ key }) => key === focusedKey) ?? items[items.length - 1]
    for (const { element } of items) element.setAttribute('tabindex', element === stop?.element ? '0' : '-1')
  }

  function tell(target: EventTarget | null): void {
    const item = chart?.items.find(({ element }) => element === target)
    if (item === undefined) return
    if (document.activeElement === item.element) focusedKey = item.key
    setText(tip, item.text)
  }

  function draw(): void {
    const hadFocus = box.contains(document.activeElement)
    chart = drawChart(rowsOf(record.moments), window, now(), Math.max(320, Math.floor(box.clientWidth)))
    markTabStop()
    box.replaceChildren(chart.element)
    if (hadFocus) (chart.items.find(({ key }) => key === focusedKey)?.element ?? pause).focus()
    setText(range, `${span(window.to - window.from)} shown`)
  }

  function drawTable(): void {
    if (!table.open) return
    const all = record.moments
    const cut = all.length > MAX_TABLE_ROWS ? ` (the newest ${MAX_TABLE_ROWS} of ${all.length}; the file has all)` : ''
    const lost =
      record.dropped === 0 ? '' : ` ${record.dropped} older events were dropped: the page keeps ${MAX_MOMENTS}.`
    tableBox.replaceChildren(momentTable(all.slice(-MAX_TABLE_ROWS).reverse(), `Events, newest first${cut}.${lost}`))
  }

  async function saveFile(): Promise<void> {
    try {
      await save()
      setText(saved, 'Saved.')
    } catch (error) {
      setText(saved, `Not saved: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  function update(): void {
    // A chart that is drawn anew would read itself out, again and again, to whoever goes through it by keyboard.
    if (!isFollowing || box.contains(document.activeElement)) return
    const to = now()
    window = { from: to - (window.to - window.from), to }
    draw()
    if (document.activeElement !== tableBox) drawTable()
  }

  return { update }
}
