import { suggestion, unknownName } from '@chaos/core/authoring'
import * as v from 'valibot'
import { shown as cut } from '../shared/answer.js'
import { beyondBounds } from './bounds.js'
import type { Experiment } from './experiment.js'
import { brokenRules, type Problem } from './rules.js'

/** The longest value in a message, and the longest name for which a suggestion is searched, in characters. */
const MAX_VALUE = 80
const MAX_NAME = 100

/** The result of a check. */
export type Checked = { readonly experiment: Experiment } | { readonly problems: readonly Problem[] }

/** Checks a value against the experiment schema. Reports every problem, in the order of its position. */
export function check(schema: v.GenericSchema<unknown, Experiment>, value: unknown): Checked {
  const problem = beyondBounds(value)
  if (problem !== undefined) return { problems: [{ path: [], message: problem }] }
  // valibot's strict object reports only the first unknown key and accepts a list. Both are checked separately.
  const unknown: Problem[] = []
  const known = withoutUnknownKeys(schema, value, [], unknown)
  const result = v.safeParse(schema, known)
  const wrong = result.success
    ? brokenRules(result.output)
    : result.issues.map((issue) => problemOf(schema as Shape, issue))
  const isKnown = ({ path }: Problem): boolean =>
    unknown.some(
      (problem) => path.length >= problem.path.length && problem.path.every((part, index) => part === path[index]),
    )
  const problems = [...unknown, ...wrong.filter((problem) => !isKnown(problem))]
  return result.success && problems.length === 0 ? { experiment: result.output } : { problems }
}

/** The parts of a valibot schema that this module reads. */
interface Shape {
  readonly type: string
  readonly key?: string
  readonly literal?: unknown
  readonly message?: unknown
  readonly entries?: Readonly<Record<string, Shape>>
  readonly item?: Shape
  readonly wrapped?: Shape
  readonly options?: readonly Shape[]
}
type Path = readonly (string | number)[]

/** The branch of a schema that a value was written for: of several shapes, the most similar one. */
function shapeFor(shape: Shape, value: unknown): Shape {
  if (shape.wrapped !== undefined) return shapeFor(shape.wrapped, value)
  if (shape.options === undefined || shape.options.some((option) => typeof option !== 'object')) return shape
  const keys = isObject(value) ? Object.keys(value) : []
  const discriminator =
    shape.type === 'variant' && shape.key !== undefined && isObject(value)
      ? shape.options.find(({ entries }) => entries?.[shape.key ?? '']?.literal === value[shape.key ?? ''])
      : undefined
  if (discriminator !== undefined) return discriminator
  const [first] = [...shape.options].sort((a, b) => likeness(b, keys) - likeness(a, keys))
  return shape.type === 'union' && first !== undefined && isObject(value) ? first : shape
}

function likeness({ entries = {} }: Shape, keys: readonly string[]): number {
  // A key that is slightly misspelt still identifies its shape.
  return keys.filter(
    (key) => Object.hasOwn(entries, key) || suggestion(key.slice(0, MAX_NAME), Object.keys(entries)) !== '',
  ).length
}

function withoutUnknownKeys(shape: Shape, value: unknown, path: Path, problems: Problem[]): unknown {
  const meant = shapeFor(shape, value)
  if (Array.isArray(value) && (meant.entries !== undefined || meant.type === 'record')) {
    problems.push({ path, message: `Expected ${named(path)} to be an object, got a list.` })
    return undefined
  }
  if (Array.isArray(value))
    return meant.item === undefined
      ? value
      : value.map((one, index) => withoutUnknownKeys(meant.item as Shape, one, [...path, index], problems))
  if (!isObject(value) || meant.entries === undefined) return value
  const { entries } = meant
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => {
      // A key whose value is `undefined` counts as absent.
      if (one === undefined) return []
      const entry = Object.hasOwn(entries, key) ? entries[key] : undefined
      if (entry !== undefined) return [[key, withoutUnknownKeys(entry, one, [...path, key], problems)]]
      const names = Object.keys(entries)
      problems.push({
        path: [...path, key],
        message: unknownName('field', cut(key), names),
      })
      return []
    }),
  )
}

function problemOf(schema: Shape, issue: v.BaseIssue<unknown>): Problem {
  // The issue of the branch that matched most says more than the issue of the union.
  if (issue.type === 'union' && issue.issues !== undefined) {
    const [farthest] = [...issue.issues].sort((a, b) => (b.path?.length ?? 0) - (a.path?.length ?? 0))
    if (farthest?.path !== undefined)
      return problemOf(schema, {
        ...farthest,
        path: [...(issue.path ?? []), ...farthest.path] as unknown as NonNullable<typeof farthest.path>,
      })
  }
  const parts = issue.path ?? []
  const path = parts.map(({ key }) => (typeof key === 'number' ? key : String(key)))
  if (issue.received === 'undefined') {
    const expected = expectedAt(schema, parts)
    return { path, message: `${missing(path)} is missing.${expected === undefined ? '' : ` It must be ${expected}.`}` }
  }
  const expected = issue.message.startsWith('Invalid') ? (issue.expected ?? 'a valid value') : issue.message
  return {
    path,
    message: `Expected ${named(path)} to be ${expected === 'Object' ? 'an object' : expected}, got ${shown(issue.input)}.`,
  }
}

function named(path: Path): string {
  const name = path.at(-1)
  if (name === undefined) return 'the experiment'
  return typeof name === 'number' ? `entry ${name + 1}` : `\`${name}\``
}

function missing(path: Path): string {
  const name = path.at(-1)
  if (name === undefined) return 'The experiment'
  return typeof name === 'number' ? `Entry ${name + 1}` : `The field "${name}"`
}

function shown(input: unknown): string {
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'object' && input !== null) return 'an object'
  if (typeof input === 'function') return 'a function'
  const text = typeof input === 'string' ? JSON.stringify(input) : String(input)
  return `\`${cut(text, MAX_VALUE)}\``
}

/** What a schema expects at a path, if the schema describes it. */
function expectedAt(schema: Shape, parts: readonly v.IssuePathItem[]): string | undefined {
  let shape: Shape | undefined = schema
  for (const { key, input } of parts) {
    const meant: Shape = shapeFor(shape, input)
    shape = Array.isArray(input) ? meant.item : own(meant.entries, String(key))
    if (shape === undefined) return undefined
  }
  while (shape.wrapped !== undefined) shape = shape.wrapped
  return typeof shape.message === 'string' ? shape.message : undefined
}

function own(entries: Readonly<Record<string, Shape>> | undefined, key: string): Shape | undefined {
  return entries !== undefined && Object.hasOwn(entries, key) ? entries[key] : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
