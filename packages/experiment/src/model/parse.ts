import { ChaosError } from '@chaos/core'
import { LineCounter, isMap, isPair, isScalar, isSeq, parseDocument, visit, type Document, type Node } from 'yaml'
import { inWords, shown } from '../shared/answer.js'
import { check } from './check.js'
import { portableExperimentSchema, type Experiment } from './experiment.js'
import { MAX_NESTING, isTooDeep } from '../shared/yaml-nesting.js'
import { substituted, type Variables } from './variables.js'

/** Longest file, in characters, and most aliases in it. */
export const MAX_FILE = 250_000
const MAX_ALIASES = 100
/** Most commas and ends of lines: the parser compares each key of a map with every other. */
const MAX_SEPARATORS = 10_000
/** So many problems are looked up in the file; finding the place of each takes a walk through it. */
const MAX_PLACED = 500
/** So many problems are listed. */
const MAX_PROBLEMS = 50

/** Options of {@link parseExperiment}. */
export interface ParseOptions {
  /** Stands in messages. Default `experiment`. */
  readonly filename?: string
  /** What `${NAME}` in a text stands for. Default: left as it is, for the run to fill in. */
  readonly variables?: Variables
}

/**
 * Reads an experiment from YAML or JSON.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT`, naming every problem with file, line and column
 */
export function parseExperiment(text: string, { filename = 'experiment', variables }: ParseOptions = {}): Experiment {
  if (text.length > MAX_FILE)
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `${filename}: Expected an experiment of at most ${MAX_FILE} characters, got ${text.length}.`,
    )
  if (text.split(/[\n,]/, MAX_SEPARATORS + 1).length > MAX_SEPARATORS)
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `${filename}: Expected an experiment of at most ${MAX_SEPARATORS} lines and commas, got more.`,
    )
  if (isTooDeep(text))
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `${filename}: Expected an experiment of at most ${MAX_NESTING} levels, got one that is nested deeper.`,
    )
  const lines = new LineCounter()
  const document = documentOf(text, lines)
  const problems: { readonly offset: number; readonly message: string }[] = document.errors.map(({ message, pos }) => ({
    offset: pos[0],
    message,
  }))
  let experiment: Experiment | undefined
  problems.push(...aliasesOfNothing(document))
  if (problems.length === 0) {
    if (variables !== undefined) problems.push(...fillIn(document, variables))
    const result = check(portableExperimentSchema, valueOf(document))
    if ('experiment' in result) experiment = result.experiment
    else
      problems.push(
        ...result.problems.slice(0, MAX_PLACED).map(({ path, message }) => ({
          offset: offsetOf(document, path),
          message: path.length === 0 ? message : `${path.join('.')}: ${message}`,
        })),
      )
  }
  if (experiment !== undefined && problems.length === 0) return experiment
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${filename}:${line}:${col}`
  }
  const listed = [...problems]
    .sort((a, b) => a.offset - b.offset)
    .slice(0, MAX_PROBLEMS)
    .map(({ offset, message }) => `${place(offset)}: ${message}`)
  throw new ChaosError(
    'CHAOS_INVALID_EXPERIMENT',
    [
      ...listed,
      ...(problems.length > MAX_PROBLEMS ? [`and ${problems.length - MAX_PROBLEMS} more problems`] : []),
    ].join('\n'),
  )
}

/** @throws ChaosError `CHAOS_INVALID_EXPERIMENT` for text that the parser cannot follow */
function documentOf(text: string, lineCounter: LineCounter): Document {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false })
  } catch (error) {
    throw unresolved(error)
  }
}

function unresolved(error: unknown): ChaosError {
  return new ChaosError(
    'CHAOS_INVALID_EXPERIMENT',
    `Expected an experiment, got YAML that cannot be resolved: ${inWords(error)}.`,
    { cause: error },
  )
}

/** The document as a value. @throws ChaosError `CHAOS_INVALID_EXPERIMENT` where aliases stand for more than anybody would write */
function valueOf(document: Document): unknown {
  try {
    return document.toJS()
  } catch (error) {
    throw unresolved(error)
  }
}

/** Aliases that no anchor stands before: the parser does not look. */
function aliasesOfNothing(document: Document): { offset: number; message: string }[] {
  const problems: { offset: number; message: string }[] = []
  let count = 0
  visit(document, {
    Alias(_key, alias) {
      count += 1
      // Each is looked for in all of the document.
      if (count > MAX_ALIASES) {
        problems.push({ offset: alias.range?.[0] ?? 0, message: `Expected at most ${MAX_ALIASES} aliases, got more.` })
        return visit.BREAK
      }
      if (alias.resolve(document) !== undefined) return undefined
      problems.push({
        offset: alias.range?.[0] ?? 0,
        message: `Expected an anchor \`&${shown(alias.source)}\` before this alias, got none. A text that begins with \`*\` stands in quotes.`,
      })
      return undefined
    },
  })
  return problems
}

/** Puts the values of variables into every text that is a value. */
function fillIn(document: Document, variables: Variables): { offset: number; message: string }[] {
  const problems: { offset: number; message: string }[] = []
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return
      node.value = substituted(node.value, variables, (message) =>
        problems.push({ offset: node.range?.[0] ?? 0, message }),
      )
    },
  })
  return problems
}

/** Where a problem stands: at its key if it has one, else at the nearest thing around it. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  let node = document.contents
  let offset = node?.range?.[0] ?? 0
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === part)
      if (pair === undefined) break
      offset = (pair.key as Node).range?.[0] ?? offset
      node = pair.value as Node | null
    } else if (isSeq(node)) {
      const item = node.items[Number(part)] as Node | undefined
      if (item === undefined) break
      offset = item.range?.[0] ?? offset
      node = item
    } else break
  }
  return offset
}
