import type { TimelineRecord } from '../model/record.js'
import { clockTime } from '../model/times.js'
import { el, svg } from '../view/dom.js'
import { drawChart } from './chart.js'
import { rowsOf } from './rows.js'
import { momentTable } from './table.js'

/** What the file says about its origin. */
export interface Origin {
  readonly name: string
  readonly pid: string
  readonly environment: string | undefined
}

const WIDTH = 1_200
/** Nothing is loaded and nothing runs, wherever the file is opened. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'"

/**
 * Makes one HTML file of a timeline: the chart of the whole time, the table, and the record as JSON. It opens offline and
 * has no script that runs.
 *
 * @param css The style sheet of the page.
 */
export function exportedFile(
  record: TimelineRecord,
  { name, pid, environment }: Origin,
  css: string,
  now: number,
): string {
  const { moments, dropped } = record
  const from = Math.min(now - 1_000, ...moments.slice(0, 100).map(({ at }) => at))
  const title = `Chaos in ${name}, ${new Date(now).toISOString()}`
  const file = document.implementation.createHTMLDocument(title)
  const head = el('meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY })
  const { element: chart, items } = drawChart(rowsOf(moments), { from, to: now + (now - from) * 0.02 }, now, WIDTH)
  chart.setAttribute('aria-label', 'Timeline. The table below says the same.')
  for (const { element, text } of items) {
    element.removeAttribute('tabindex')
    element.append(svg('title', {}, text))
  }
  file.documentElement.lang = 'en'
  file.head.prepend(
    el('meta', { charset: 'utf-8' }),
    head,
    el('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
  )
  file.body.className = 'exported'
  file.body.append(
    el(
      'main',
      {},
      el('h1', {}, `Chaos in ${name}`),
      el('p', {}, `pid ${pid}, environment ${environment ?? 'unknown'}, from ${clockTime(from)} to ${clockTime(now)}`),
      droppedNote(dropped),
      el('div', { class: 'scroll' }, chart),
      el('div', { class: 'scroll' }, momentTable(moments, 'All events, oldest first')),
    ),
    dataElement({ format: 'chaos-timeline', version: 1, name, pid, environment, exportedAt: now, dropped, moments }),
  )
  // As text: an element with styles would be refused by the policy of the page that makes the file.
  const style = `<style>${css.replace(/<\//g, '<\\/')}</style></head>`
  return `<!doctype html>\n${file.documentElement.outerHTML.replace('</head>', () => style)}\n`
}

function droppedNote(dropped: number): HTMLElement | undefined {
  if (dropped === 0) return undefined
  return el(
    'p',
    { class: 'stale' },
    `The ${dropped} oldest events are missing: the page keeps a bounded number of them.`,
  )
}

/** The record as data. The text of a `script` is not escaped by HTML, so `<` is by JSON. */
function dataElement(data: unknown): HTMLElement {
  return el(
    'script',
    { type: 'application/json', id: 'chaos-timeline-data' },
    JSON.stringify(data).replace(/</g, '\\u003c'),
  )
}
