/** One line of the Prometheus text format. */
export interface TextSample {
  readonly series: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*,?\s*/gy

/** Reads a page in the Prometheus text exposition format (version 0.0.4). Lines that are none of its are passed over. */
export function parsePrometheusText(text: string): readonly TextSample[] {
  return text.split('\n').flatMap((line) => {
    const match = line.startsWith('#') ? null : LINE.exec(line.trim())
    if (match === null) return []
    const [, series = '', labels = '', value = ''] = match
    return [{ series, labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, name = '', quoted = '']) => [name, unescaped(quoted)])), value: numberOf(value) }]
  })
}

function unescaped(quoted: string): string {
  return quoted.replace(/\\(.)/g, (_whole, letter: string) => (letter === 'n' ? '\n' : letter))
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  return Number(text)
}
