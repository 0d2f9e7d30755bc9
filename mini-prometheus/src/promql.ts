import { parser } from '@prometheus-io/lezer-promql'
import type { SyntaxNode } from '@lezer/common'
import { keyOf, type Element, type Series, type SeriesStore } from './series.js'

/** The result of an expression: a scalar, or a vector with one number per label set. */
type Value = number | readonly Element[]

/** A compiled expression. It is evaluated against a store at a time in ms since the epoch. */
export type Expression = (store: SeriesStore, at: number) => Value

type Labels = Readonly<Record<string, string>>

/**
 * Compiles the subset of PromQL that alert rules need: selectors, `rate`, `increase`, `histogram_quantile`, `vector`,
 * `time`, aggregations, arithmetic, comparisons (with `bool`), `and`, `or`, `unless`, `on` and `ignoring`. Results
 * equal those of Prometheus. Unsupported syntax fails when the rule is loaded, not when the alert should fire.
 *
 * @throws SyntaxError when the query is invalid or unsupported
 */
export function compile(query: string): Expression {
  const tree = parser.parse(query)
  const root = tree.topNode.firstChild
  let broken: number | undefined
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError) broken ??= from
    },
  })
  if (root === null || broken !== undefined)
    throw new SyntaxError(`The query \`${query}\` is not valid PromQL (character ${broken ?? 0}).`)
  return new Compiler(query).expression(root)
}

class Compiler {
  readonly #query: string

  constructor(query: string) {
    this.#query = query
  }

  expression(node: SyntaxNode): Expression {
    switch (node.name) {
      case 'ParenExpr':
        return this.expression(child(node))
      case 'NumberDurationLiteral': {
        const value = Number(this.#text(node))
        return () => value
      }
      case 'UnaryExpr': {
        const inner = this.expression(node.lastChild as SyntaxNode)
        const sign = this.#text(child(node)) === '-' ? -1 : 1
        return (store, at) => map(inner(store, at), (value) => sign * value)
      }
      case 'VectorSelector': {
        const matches = this.#matcher(node)
        return (store) => store.instant(matches)
      }
      case 'FunctionCall':
        return this.#call(node)
      case 'AggregateExpr':
        return this.#aggregate(node)
      case 'BinaryExpr':
        return this.#binary(node)
      default:
        throw this.#unknown(node)
    }
  }

  #call(node: SyntaxNode): Expression {
    const name = this.#text(child(node, 'FunctionIdentifier'))
    const [first, second] = args(child(node, 'FunctionCallBody'))
    if ((name === 'rate' || name === 'increase') && first?.name === 'MatrixSelector') {
      const matches = this.#matcher(child(first, 'VectorSelector'))
      const rangeMs = durationMs(this.#text(child(first, 'DurationExpr')))
      return (store, at) =>
        store.range(matches, at - rangeMs, at).flatMap((series) => {
          const value = increase(series, at - rangeMs, at)
          return value === undefined
            ? []
            : [{ labels: withoutName(series.labels), value: name === 'rate' ? value / (rangeMs / 1_000) : value }]
        })
    }
    if (name === 'histogram_quantile' && first !== undefined && second !== undefined) {
      const [quantile, buckets] = [this.expression(first), this.expression(second)]
      return (store, at) => histogramQuantile(scalar(quantile(store, at)), vector(buckets(store, at)))
    }
    if (name === 'time' && first === undefined) return (_store, at) => at / 1_000
    if (name === 'vector' && first !== undefined) {
      const inner = this.expression(first)
      return (store, at) => [{ labels: {}, value: scalar(inner(store, at)) }]
    }
    throw this.#unknown(node)
  }

  #aggregate(node: SyntaxNode): Expression {
    const operation = AGGREGATIONS[this.#text(child(node, 'AggregateOp'))]
    const [body] = args(child(node, 'FunctionCallBody'))
    if (operation === undefined || body === undefined) throw this.#unknown(node)
    const inner = this.expression(body)
    const modifier = node.getChild('AggregateModifier')
    const names = modifier === null ? [] : this.#labelNames(modifier)
    const isWithout = modifier?.getChild('Without') != null
    const groupOf = (labels: Labels): Labels => (isWithout ? omit(withoutName(labels), names) : pick(labels, names))
    return (store, at) => {
      const groups = new Map<string, { labels: Labels; values: number[] }>()
      for (const { labels, value } of vector(inner(store, at))) {
        const group = groupOf(labels)
        const key = keyOf(group)
        const known = groups.get(key)
        if (known === undefined) groups.set(key, { labels: group, values: [value] })
        else known.values.push(value)
      }
      return [...groups.values()].map(({ labels, values }) => ({ labels, value: operation(values) }))
    }
  }

  #binary(node: SyntaxNode): Expression {
    const left = this.expression(node.firstChild as SyntaxNode)
    const right = this.expression(node.lastChild as SyntaxNode)
    const operator = operatorOf(node, this.#query)
    const matching = node.getChild('MatchingModifierClause')
    const names = matching === null ? [] : this.#labelNames(matching)
    const isOn = matching?.getChild('On') != null
    const keyFor = (labels: Labels): string => keyOf(isOn ? pick(labels, names) : omit(withoutName(labels), names))
    if (operator === 'and' || operator === 'or' || operator === 'unless') {
      return (store, at) => {
        const [a, b] = [vector(left(store, at)), vector(right(store, at))]
        const keys = new Set((operator === 'or' ? a : b).map(({ labels }) => keyFor(labels)))
        if (operator === 'or') return [...a, ...b.filter(({ labels }) => !keys.has(keyFor(labels)))]
        return a.filter(({ labels }) => keys.has(keyFor(labels)) === (operator === 'and'))
      }
    }
    const arithmetic = ARITHMETIC[operator]
    const comparison = COMPARISONS[operator]
    const isBool = node.getChild('BoolModifier') !== null
    /** The value of a pair, or `undefined` if a comparison filters it out. */
    const combine = (a: number, b: number, kept: number): number | undefined => {
      if (arithmetic !== undefined) return arithmetic(a, b)
      if (comparison === undefined) return undefined
      return isBool ? Number(comparison(a, b)) : comparison(a, b) ? kept : undefined
    }
    if (arithmetic === undefined && comparison === undefined) throw this.#unknown(node)
    const labelsFor = (labels: Labels): Labels => (comparison !== undefined && !isBool ? labels : withoutName(labels))
    return (store, at) => {
      const [a, b] = [left(store, at), right(store, at)]
      if (typeof a === 'number' && typeof b === 'number') return combine(a, b, a) ?? 0
      if (typeof b === 'number')
        return elements(vector(a), ({ labels, value }) => ({
          labels: labelsFor(labels),
          value: combine(value, b, value),
        }))
      if (typeof a === 'number')
        return elements(b, ({ labels, value }) => ({ labels: labelsFor(labels), value: combine(a, value, value) }))
      const others = new Map(b.map((element) => [keyFor(element.labels), element.value]))
      return elements(a, ({ labels, value }) => {
        const other = others.get(keyFor(labels))
        return { labels: labelsFor(labels), value: other === undefined ? undefined : combine(value, other, value) }
      })
    }
  }

  #matcher(node: SyntaxNode): (labels: Labels) => boolean {
    const name = node.getChild('Identifier')
    const tests = name === null ? [] : [equals('__name__', this.#text(name))]
    for (const matcher of node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []) {
      const label = this.#text(child(matcher, 'LabelName'))
      const operator = this.#text(child(matcher, 'MatchOp'))
      const wanted = JSON.parse(this.#text(child(matcher, 'StringLiteral')).replace(/^'(.*)'$/s, '"$1"')) as string
      tests.push(labelTest(label, operator, wanted))
    }
    return (labels) => tests.every((test) => test(labels))
  }

  #labelNames(node: SyntaxNode): string[] {
    return (node.getChild('GroupingLabels')?.getChildren('LabelName') ?? []).map((label) => this.#text(label))
  }

  #text({ from, to }: SyntaxNode): string {
    return this.#query.slice(from, to)
  }

  #unknown(node: SyntaxNode): SyntaxError {
    return new SyntaxError(`This evaluator does not support \`${this.#text(node)}\` (${node.name}).`)
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const AGGREGATIONS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  sum,
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  avg: (values) => sum(values) / values.length,
  count: (values) => values.length,
}
const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
}
const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
}
const OPERATORS = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Mod',
  'Gtr',
  'Lss',
  'Gte',
  'Lte',
  'Eql',
  'Neq',
  'And',
  'Or',
  'Unless',
])

function operatorOf(node: SyntaxNode, query: string): string {
  for (let part = node.firstChild; part !== null; part = part.nextSibling) {
    if (OPERATORS.has(part.name)) return query.slice(part.from, part.to).toLowerCase()
  }
  throw new SyntaxError(`This evaluator does not support the operator \`${query.slice(node.from, node.to)}\`.`)
}

const equals =
  (label: string, wanted: string) =>
  (labels: Labels): boolean =>
    (labels[label] ?? '') === wanted

function labelTest(label: string, operator: string, wanted: string): (labels: Labels) => boolean {
  if (operator === '=') return equals(label, wanted)
  if (operator === '!=') return (labels) => (labels[label] ?? '') !== wanted
  const pattern = new RegExp(`^(?:${wanted})$`)
  return operator === '=~'
    ? (labels) => pattern.test(labels[label] ?? '')
    : (labels) => !pattern.test(labels[label] ?? '')
}

/**
 * The increase of a counter, extrapolated to the whole range as Prometheus' `extrapolatedRate` does. Handles resets.
 */
function increase({ points }: Series, from: number, to: number): number | undefined {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || points.length < 2) return undefined
  let grown = last.value - first.value
  for (let index = 1; index < points.length; index += 1) {
    const before = points[index - 1]?.value ?? 0
    if ((points[index]?.value ?? 0) < before) grown += before
  }
  const sampledMs = last.at - first.at
  const averageMs = sampledMs / (points.length - 1)
  const threshold = averageMs * 1.1
  let startMs = first.at - from
  if (startMs >= threshold) startMs = averageMs / 2
  // A counter was never negative, so extrapolation stops where it would reach zero.
  if (grown > 0 && first.value >= 0) startMs = Math.min(startMs, sampledMs * (first.value / grown))
  let endMs = to - last.at
  if (endMs >= threshold) endMs = averageMs / 2
  return grown * ((sampledMs + startMs + endMs) / sampledMs)
}

function histogramQuantile(quantile: number, buckets: readonly Element[]): Element[] {
  const groups = new Map<string, { labels: Labels; buckets: { upTo: number; count: number }[] }>()
  for (const { labels, value } of buckets) {
    const { le, ...rest } = withoutName(labels)
    if (le === undefined) continue
    const key = keyOf(rest)
    const group = groups.get(key) ?? { labels: rest, buckets: [] }
    group.buckets.push({ upTo: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count: value })
    groups.set(key, group)
  }
  return [...groups.values()].map(({ labels, buckets: own }) => ({
    labels,
    value: quantileOf(
      quantile,
      own.sort((a, b) => a.upTo - b.upTo),
    ),
  }))
}

function quantileOf(quantile: number, buckets: readonly { readonly upTo: number; readonly count: number }[]): number {
  const total = buckets.at(-1)
  if (total?.upTo !== Number.POSITIVE_INFINITY || buckets.length < 2 || total.count === 0) return Number.NaN
  const rank = quantile * total.count
  const index = buckets.findIndex(({ count }) => count >= rank)
  const bucket = buckets[index]
  // The quantile lies above the last finite bucket, whose bound is then the result.
  if (bucket === undefined || index === buckets.length - 1) return buckets.at(-2)?.upTo ?? Number.NaN
  const below = buckets[index - 1]
  if (below === undefined && bucket.upTo <= 0) return bucket.upTo
  const [start, before] = [below?.upTo ?? 0, below?.count ?? 0]
  return start + (bucket.upTo - start) * ((rank - before) / (bucket.count - before))
}

function child(node: SyntaxNode, name?: string): SyntaxNode {
  const found = name === undefined ? node.firstChild : node.getChild(name)
  if (found === null) throw new SyntaxError(`Expected ${name ?? 'something'} in ${node.name}.`)
  return found
}

/** The arguments of a function call. */
function args(body: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = []
  for (let part = body.firstChild; part !== null; part = part.nextSibling) found.push(part)
  return found
}

function vector(value: Value): readonly Element[] {
  return typeof value === 'number' ? [{ labels: {}, value }] : value
}

function scalar(value: Value): number {
  return typeof value === 'number' ? value : (value[0]?.value ?? Number.NaN)
}

function map(value: Value, change: (value: number) => number): Value {
  return typeof value === 'number'
    ? change(value)
    : value.map((element) => ({ labels: withoutName(element.labels), value: change(element.value) }))
}

function elements(
  from: readonly Element[],
  change: (element: Element) => { readonly labels: Labels; readonly value: number | undefined },
): Element[] {
  return from.flatMap((element) => {
    const { labels, value } = change(element)
    return value === undefined ? [] : [{ labels, value }]
  })
}

function withoutName(labels: Labels): Labels {
  const { __name__: _name, ...rest } = labels
  return rest
}

function pick(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(names.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])))
}

function omit(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)))
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Parses a Prometheus duration (`1m30s`) to ms. @throws SyntaxError when the text is not a duration */
export function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+)(ms|[smhd])/g)]
  if (parts.map(([whole]) => whole).join('') !== text)
    throw new SyntaxError(`Expected a duration such as 10s or 1m30s, got \`${text}\`.`)
  return parts.reduce((total, [, count = '0', unit = 's']) => total + Number(count) * (UNIT_MS[unit] ?? 0), 0)
}

/** Formats a duration in ms as Prometheus does: `500ms`, `5s`, `1m30s`. */
export function durationText(ms: number): string {
  let rest = Math.round(ms)
  let text = ''
  for (const [unit, size] of Object.entries(UNIT_MS).sort(([, a], [, b]) => b - a)) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text === '' ? '0s' : text
}
