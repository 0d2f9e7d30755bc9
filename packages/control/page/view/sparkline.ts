import { setAttribute, svg } from './dom.js'

const WIDTH = 180
const HEIGHT = 36

/** A line of hits per second over the last minute, with its peak in words. */
export interface Sparkline {
  readonly element: SVGSVGElement
  update(counts: readonly number[]): void
}

export function sparkline(): Sparkline {
  const area = svg('path', { class: 'spark-area' })
  const line = svg('path', { class: 'spark-line' })
  const element = svg(
    'svg',
    { class: 'sparkline', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
    area,
    line,
  )
  return {
    element,
    update(counts) {
      const peak = Math.max(...counts)
      const path = linePath(counts)
      setAttribute(line, 'd', path)
      setAttribute(area, 'd', `${path} L${WIDTH} ${HEIGHT} L0 ${HEIGHT} Z`)
      const total = counts.reduce((sum, count) => sum + count, 0)
      setAttribute(
        element,
        'aria-label',
        `Hits per second in the last minute: ${total} in all, at most ${peak} in a second`,
      )
    },
  }
}

/** The path of the line. A quiet minute is a flat line at the bottom. */
function linePath(counts: readonly number[]): string {
  const peak = Math.max(1, ...counts)
  const step = WIDTH / Math.max(1, counts.length - 1)
  return counts
    .map((count, index) => {
      const y = HEIGHT - 1 - (count / peak) * (HEIGHT - 3)
      return `${index === 0 ? 'M' : 'L'}${(index * step).toFixed(1)} ${y.toFixed(1)}`
    })
    .join(' ')
}
