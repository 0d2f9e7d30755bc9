import { listed, suggestion } from '@chaos/core'
import * as v from 'valibot'
import { inWords, shown as cut } from '../shared/answer.js'
import { isWithin } from '../probes/tolerance.js'
import { beyondBounds } from './bounds.js'
import type { Experiment, Probe, SeriesSelector, Tolerance } from './experiment.js'
import { compilePattern } from '../probes/pattern.js'
import { requestOf } from './request.js'

/** One thing that is wrong with an experiment, and where. */
interface Problem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Longest value in a message, and longest name that a suggestion is looked for, in characters. */
const MAX_VALUE = 80
const MAX_NAME = 100
/** Steps that matching a label with a pattern may take. */
const MAX_STEPS = 5_000_000

/** What a check comes to. */
export type Checked = { readonly experiment: Experiment } | { readonly problems: readonly Problem[] }

/** Checks a value against a schema of experiments. Every problem is reported, in the order of their places. */
export function check(schema: v.GenericSchema<unknown, Experiment>, value: unknown): Checked {
  const problem = beyondBounds(value)
  if (problem !== undefined) return { problems: [{ path: [], message: problem }] }
  // A strict object reports its first unknown key only, and takes a list for an object: that is gathered apart.
  const unknown: Problem[] = []
  const known = withoutUnknownKeys(schema, value, [], unknown)
  const result = v.safeParse(schema, known)
  const wrong = result.success
    ? [
        ...namesThatRepeat(result.output),
        ...namesThatAreNotThere(result.output),
        ...alertsThatRepeat(result.output),
        ...alertsNamedTwice(result.output),
        ...probesThatNeverHold(result.output),
        ...labelsThatContradict(result.output),
        ...requestsThatCannotBeSent(result.output),
      ]
    : result.issues.map((issue) => problemOf(schema as Shape, issue))
  const isKnown = ({ path }: Problem): boolean =>
    unknown.some(
      (problem) => path.length >= problem.path.length && problem.path.every((part, index) => part === path[index]),
    )
  const problems = [...unknown, ...wrong.filter((problem) => !isKnown(problem))]
  return result.success && problems.length === 0 ? { experiment: result.output } : { problems }
}

/** What this module needs to know of a valibot schema. */
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

/** The part of a schema that is meant for a value: of several shapes, the one that looks most like it. */
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
  // A misspelt key still tells which shape is meant.
  return keys.filter(
    (key) => Object.hasOwn(entries, key) || suggestion(key.slice(0, MAX_NAME), Object.keys(entries)) !== '',
  ).length
}

function withoutUnknownKeys(shape: Shape, value: unknown, path: Path, problems: Problem[]): unknown {
  const meant = shapeFor(shape, value)
  if (Array.isArray(value) && (meant.entries !== undefined || meant.type === 'record')) {
    problems.push({ path, message: `Expected ${named(path)} to be keys and values, got a list.` })
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
      // A key that is `undefined` was not given.
      if (one === undefined) return []
      const entry = Object.hasOwn(entries, key) ? entries[key] : undefined
      if (entry !== undefined) return [[key, withoutUnknownKeys(entry, one, [...path, key], problems)]]
      const names = Object.keys(entries)
      problems.push({
        path: [...path, key],
        message: `Expected one of ${listed(names)}, got \`${cut(key)}\`.${suggestion(key.slice(0, MAX_NAME), names)}`,
      })
      return []
    }),
  )
}

function problemOf(schema: Shape, issue: v.BaseIssue<unknown>): Problem {
  // Of several shapes, the branch that came farthest says more than all of them.
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
    return {
      path,
      message: `Expected ${named(path)}${expected === undefined ? '' : ` (${expected})`}, which is missing.`,
    }
  }
  const expected = issue.message.startsWith('Invalid') ? (issue.expected ?? 'another value') : issue.message
  return {
    path,
    message: `Expected ${named(path)} to be ${expected === 'Object' ? 'keys and values' : expected}, got ${shown(issue.input)}.`,
  }
}

function named(path: Path): string {
  const name = path.at(-1)
  if (name === undefined) return 'an experiment'
  return typeof name === 'number' ? `entry ${name + 1}` : `\`${name}\``
}

function shown(input: unknown): string {
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'object' && input !== null) return 'keys and values'
  if (typeof input === 'function') return 'a function'
  const text = typeof input === 'string' ? JSON.stringify(input) : String(input)
  return `\`${cut(text, MAX_VALUE)}\``
}

/** What must stand at a place, in words, where the schema has words for it. */
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

function namesThatRepeat({ steadyState, guardrails, afterwards }: Experiment): Problem[] {
  const seen = new Set<string>()
  const lists = [
    [['steadyState', 'probes'], steadyState.probes],
    [['guardrails'], guardrails],
    [['afterwards'], afterwards],
  ] as const
  return lists.flatMap(([path, probes]) =>
    probes.flatMap(({ name }, index) => {
      if (seen.has(name))
        return [{ path: [...path, index, 'name'], message: `Expected a name of its own, got \`${cut(name)}\` again.` }]
      seen.add(name)
      return []
    }),
  )
}

function namesThatAreNotThere({ steadyState, recovery }: Experiment): Problem[] {
  const known = steadyState.probes.map(({ name }) => name)
  const unknown = (names: readonly string[] | undefined, path: Path): Problem[] =>
    (names ?? []).flatMap((name, index) =>
      known.includes(name)
        ? []
        : [
            {
              path: [...path, index],
              message: `Expected the name of a steady-state probe (${listed(known)}), got \`${cut(name)}\`.${suggestion(name, known)}`,
            },
          ],
    )
  return [
    ...unknown(steadyState.mayBreach, ['steadyState', 'mayBreach']),
    ...unknown(recovery.duringFault?.probes, ['recovery', 'duringFault', 'probes']),
  ]
}

function alertsThatRepeat({ alerts }: Experiment): Problem[] {
  const seen = new Set<string>()
  return (alerts?.mustFire ?? []).flatMap(({ name, labels = {} }, index) => {
    const key = JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
    if (seen.has(key))
      return [
        {
          path: ['alerts', 'mustFire', index, 'name'],
          message: `Expected each alert once, got \`${cut(name)}\` with the same labels again.`,
        },
      ]
    seen.add(key)
    return []
  })
}

/** Alerts with their name among their labels: what is read of an alert has it apart. */
function alertsNamedTwice({ alerts }: Experiment): Problem[] {
  return (['mustFire', 'mayFire'] as const).flatMap((list) =>
    (alerts?.[list] ?? []).flatMap((matcher, index) =>
      typeof matcher === 'string' || !Object.hasOwn(matcher.labels ?? {}, 'alertname')
        ? []
        : [
            {
              path: ['alerts', list, index, 'labels', 'alertname'],
              message: 'Expected labels beside the name, got `alertname`, which is the name. Leave it out.',
            },
          ],
    ),
  )
}

/** Labels that a pattern for the same label does not match. Those with variables are checked once they have their values. */
function labelsThatContradict(experiment: Experiment): Problem[] {
  const isOpen = (text: string): boolean => /\$\{\w+\}/.test(text)
  const contradictions = ({ labels = {}, labelsMatch = {} }: SeriesSelector, path: Path): Problem[] =>
    Object.entries(labelsMatch).flatMap(([label, pattern]) => {
      const value = Object.hasOwn(labels, label) ? labels[label] : undefined
      if (
        value === undefined ||
        isOpen(value) ||
        isOpen(pattern) ||
        compilePattern(pattern)(value, { steps: MAX_STEPS })
      )
        return []
      return [
        {
          path: [...path, 'labelsMatch', label],
          message: `Expected a pattern that \`${cut(`${label}: ${value}`, MAX_VALUE)}\` in \`labels\` matches, got \`${cut(pattern, MAX_VALUE)}\`: no series can have both.`,
        },
      ]
    })
  return probesOf(experiment).flatMap(([path, probe]) =>
    probe.type === 'metric'
      ? [...contradictions(probe, path), ...contradictions(probe.outOf ?? { series: '' }, [...path, 'outOf'])]
      : [],
  )
}

/** Requests that `fetch` does not take. They are sent at the very end. */
function requestsThatCannotBeSent({ rollbacks }: Experiment): Problem[] {
  return rollbacks.flatMap((action, index) => {
    if (action.type !== 'http') return []
    try {
      new Request('http://localhost/', requestOf(action))
      return []
    } catch (error) {
      return [
        {
          path: ['rollbacks', index],
          message: `Expected a request that can be sent, got one that cannot: ${inWords(error).replace(/\.?$/, '.')}`,
        },
      ]
    }
  })
}

/** Probes that no reading can satisfy, or that every reading does. */
function probesThatNeverHold(experiment: Experiment): Problem[] {
  return probesOf(experiment).flatMap(([path, probe]) => {
    const { tolerance } = probe
    if (tolerance === undefined) return []
    const at = [...path, 'tolerance']
    if (!isPossible(tolerance))
      return [{ path: at, message: 'Expected bounds that a number can keep, got bounds that contradict each other.' }]
    if (probe.type !== 'http' || probe.path !== undefined) return []
    const kept = [0, 1].filter((value) => isWithin(value, tolerance)).length
    return kept === 1
      ? []
      : [
          {
            path: at,
            message: `Expected bounds that 1 (the expected status came) or 0 (another came) keeps, but not both, got bounds that ${kept === 0 ? 'neither keeps' : 'both keep'}. For a number in the answer, add \`path\`.`,
          },
        ]
  })
}

/** Every probe, and where it stands. */
function probesOf({ steadyState, guardrails, afterwards }: Experiment): readonly (readonly [Path, Probe])[] {
  const lists: readonly (readonly [Path, readonly Probe[]])[] = [
    [['steadyState', 'probes'], steadyState.probes],
    [['guardrails'], guardrails],
    [['afterwards'], afterwards],
  ]
  return lists.flatMap(([path, probes]) => probes.map((probe, index) => [[...path, index], probe] as const))
}

function isPossible(tolerance: Tolerance): boolean {
  const { below = Infinity, above = -Infinity, atLeast = -Infinity, atMost = Infinity, equals } = tolerance
  if (equals !== undefined) return isWithin(Number(equals), tolerance)
  return above < below && above < atMost && atLeast < below && atLeast <= atMost
}

function own(entries: Readonly<Record<string, Shape>> | undefined, key: string): Shape | undefined {
  return entries !== undefined && Object.hasOwn(entries, key) ? entries[key] : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
