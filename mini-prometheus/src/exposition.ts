import type { Sample } from './series.js'

const NAME = /[a-zA-Z_:][\w:]*/y
const LABEL = /\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*(?:,|(?=\}))/y
const END_OF_LABELS = /\s*\}/y
const VALUE = /\s+(\S+)(?:\s+-?\d+)?\s*$/y
/** The longest line, in characters. */
const MAX_LINE = 10_000

/**
 * Parses a page in the Prometheus text format.
 *
 * @throws SyntaxError when any line is invalid, because a partly read page would hide values
 */
export function parseExposition(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim()
    return trimmed === '' || trimmed.startsWith('#') ? [] : [sampleOf(trimmed, index + 1)]
  })
}

function sampleOf(line: string, number: number): Sample {
  const refuse = (): never => {
    throw new SyntaxError(`Line ${number} is not a sample in the Prometheus text format: \`${line.slice(0, 60)}\`.`)
  }
  if (line.length > MAX_LINE) refuse()
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(line)
    if (match !== null) at = pattern.lastIndex
    return match
  }
  const name = take(NAME)?.[0] ?? refuse()
  const labels: [string, string][] = []
  if (line[at] === '{') {
    at += 1
    for (let label = take(LABEL); label !== null; label = take(LABEL))
      labels.push([label[1] ?? '', unquoted(label[2] ?? '')])
    if (take(END_OF_LABELS) === null) refuse()
  }
  const value = numberOf(take(VALUE)?.[1] ?? refuse())
  return { name, labels: Object.fromEntries(labels), value: value ?? refuse() }
}

function unquoted(text: string): string {
  return text.replace(/\\(.)/g, (_whole, letter: string) => (letter === 'n' ? '\n' : letter))
}

function numberOf(text: string): number | undefined {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (/^nan$/i.test(text)) return Number.NaN
  const value = Number(text)
  return Number.isNaN(value) ? undefined : value
}
