import type { Scraped } from './series.js'

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*,?\s*/gy

/** Reads a page in the Prometheus text format. */
export function parseExposition(text: string): readonly Scraped[] {
  return text.split('\n').flatMap((line) => {
    const match = line.startsWith('#') ? null : LINE.exec(line.trim())
    if (match === null) return []
    const [, name = '', labels = '', value = ''] = match
    return [{ name, labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, label = '', quoted = '']) => [label, quoted.replace(/\\(.)/g, (_whole, letter: string) => (letter === 'n' ? '\n' : letter))])), value: numberOf(value) }]
  })
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  return Number(text)
}
