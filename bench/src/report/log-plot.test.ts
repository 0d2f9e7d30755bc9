import { describe, expect, it } from 'vitest'
import { logPlot } from './log-plot.js'

const series = (name: string, ...points: readonly (readonly [number, number])[]) => ({
  name,
  points: points.map(([x, y]) => ({ x, y })),
})
const plot = (...all: readonly ReturnType<typeof series>[]): string =>
  logPlot({ title: 'T & <t>', x: 'agents', y: 'ms', series: all })

const dots = (svg: string): number[][] =>
  [...svg.matchAll(/<circle [^>]*cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)])

describe('a plot', () => {
  it('puts equal ratios at equal distances, larger values further right and up', () => {
    const [[x1 = 0, y1 = 0] = [], [x2 = 0, y2 = 0] = [], [x3 = 0, y3 = 0] = []] = dots(
      plot(series('a', [10, 2], [100, 20], [1_000, 200])),
    )
    expect(x2 - x1).toBeCloseTo(x3 - x2, 0)
    expect(y1 - y2).toBeCloseTo(y2 - y3, 0)
    expect(x1).toBeLessThan(x2)
    expect(y1).toBeGreaterThan(y2)
  })

  it('names each curve, and keeps the names of curves that end together apart', () => {
    const svg = plot(
      series('first', [10, 5], [20, 5]),
      series('second', [10, 5], [20, 5]),
      series('third', [10, 5], [20, 5]),
    )
    const names = [...svg.matchAll(/class="name s\d" x="[\d.]+" y="([\d.]+)">(\w+)</g)]
    expect(names.map(([, , name]) => name).sort()).toEqual(['first', 'second', 'third'])
    const heights = names.map(([, y]) => Number(y)).sort((a, b) => a - b)
    expect(Math.min(...heights.slice(1).map((y, index) => y - (heights[index] ?? 0)))).toBeGreaterThanOrEqual(16.9)
  })

  it('stands alone, with colours for a light and a dark ground, and escapes its texts', () => {
    const svg = plot(series('a', [1, 1], [2, 2]))
    expect(svg).toContain('prefers-color-scheme:dark')
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|@import|<script|url\(/)
    expect(svg).toContain('<title>T &amp; &lt;t></title>')
  })

  it('leaves out what a logarithmic axis has no place for, and says where nothing is left', () => {
    expect(dots(plot(series('a', [10, 0], [20, -1], [30, Number.NaN], [40, 4])))).toHaveLength(1)
    expect(() => plot(series('a', [10, 0]))).toThrow('Expected something to plot')
  })
})
