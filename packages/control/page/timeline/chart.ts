import { clockTime, preciseTime, span } from '../model/times.js'
import { setAttribute, svg } from '../view/dom.js'
import type { Bar, Mark, Row } from './rows.js'
import { ticksOf, type Window } from './window.js'

/** Something on the chart that can be pointed at, and reached by keyboard. */
interface Item {
  readonly key: string
  readonly element: SVGElement
  readonly text: string
}

export interface Chart {
  readonly element: SVGSVGElement
  /** In the order of rows and of time. */
  readonly items: readonly Item[]
}

const LABEL_WIDTH = 240
const ROW_HEIGHT = 30
const TOP = 26
const TICK_WIDTH = 90
/** The most bars and marks of a chart: more than there are pixels would only cost time. */
const MAX_ITEMS = 3_000

/**
 * Draws the rows of a timeline as SVG.
 *
 * @param now Where bars that still last end.
 * @param width In pixels.
 */
export function drawChart(rows: readonly Row[], window: Window, now: number, width: number): Chart {
  const labels = width < 640 ? 0 : LABEL_WIDTH
  const items: Item[] = []
  const scale = (at: number): number =>
    labels +
    ((Math.min(Math.max(at, window.from), window.to) - window.from) / (window.to - window.from)) * (width - labels)
  const isShown = (from: number, to: number): boolean => to >= window.from && from <= window.to
  const height = TOP + Math.max(1, rows.length) * ROW_HEIGHT + 6
  const element = svg('svg', {
    class: 'chart',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'group',
    'aria-label': 'Timeline. Use the arrow keys to go from one event to the next.',
  })
  element.append(
    ...ticksOf(window, Math.max(2, (width - labels) / TICK_WIDTH)).map((at) => tickView(scale(at), at, height)),
  )

  rows.forEach((row, index) => {
    const top = TOP + index * ROW_HEIGHT
    const peak = Math.max(1, ...row.marks.filter(({ kind }) => kind === 'hits').map(({ count }) => count))
    element.append(svg('line', { class: 'row', x1: 0, x2: width, y1: top + ROW_HEIGHT, y2: top + ROW_HEIGHT }))
    element.append(labelView(row.label, labels === 0 ? 2 : labels - 8, top, labels === 0))
    for (const [place, bar] of row.bars.entries())
      if (isShown(bar.from, bar.to ?? now)) add(`${row.key} bar ${place}`, barView(bar, top), barText(bar, now))
    for (const mark of row.marks)
      if (isShown(mark.at, mark.at))
        add(`${row.key} ${mark.kind} ${mark.at}`, markView(mark, top, peak), `${preciseTime(mark.at)} ${mark.text}`)
  })

  function add(key: string, shape: SVGElement, text: string): void {
    if (items.length >= MAX_ITEMS) return
    for (const [name, value] of Object.entries({ role: 'img', 'aria-label': text, tabindex: -1 }))
      setAttribute(shape, name, value)
    items.push({ key, element: shape, text })
    element.append(shape)
  }

  function barView({ from, to, kind }: Bar, top: number): SVGElement {
    const start = scale(from)
    return svg('rect', {
      class: `bar ${kind}${to === undefined ? ' open' : ''}`,
      x: round(start),
      y: top + 7,
      width: round(Math.max(3, scale(to ?? now) - start)),
      height: ROW_HEIGHT - 10,
      rx: 3,
    })
  }

  function markView({ at, kind, count }: Mark, top: number, peak: number): SVGElement {
    const x = scale(at)
    if (kind !== 'hits') return svg('circle', { class: `mark ${kind}`, cx: round(x), cy: top + 12, r: 5 })
    const height = 4 + (count / peak) * (ROW_HEIGHT - 16)
    return svg('rect', {
      class: 'mark hits',
      x: round(x),
      y: round(top + ROW_HEIGHT - 3 - height),
      width: round(Math.max(2, scale(at + 1_000) - x - 1)),
      height: round(height),
    })
  }

  return { element, items }
}

function tickView(x: number, at: number, height: number): SVGElement {
  return svg(
    'g',
    { class: 'tick', 'aria-hidden': 'true' },
    svg('line', { x1: round(x), x2: round(x), y1: TOP - 6, y2: height }),
    svg('text', { x: round(x + 3), y: TOP - 10 }, clockTime(at)),
  )
}

function labelView(label: string, x: number, top: number, isNarrow: boolean): SVGElement {
  const most = isNarrow ? 60 : 32
  const shown = label.length > most ? `${label.slice(0, most - 1)}…` : label
  return svg(
    'text',
    { class: `label${isNarrow ? ' narrow' : ''}`, x, y: isNarrow ? top + 8 : top + 21, 'aria-hidden': 'true' },
    shown,
    svg('title', {}, label),
  )
}

const barText = ({ from, to, text }: Bar, now: number): string =>
  `${text}, from ${preciseTime(from)} ${to === undefined ? `until now (${span(now - from)})` : `to ${preciseTime(to)} (${span(to - from)})`}`

const round = (value: number): string => value.toFixed(1)
