import { ChaosError } from '@chaos/core'
import { LineCounter, isMap, isPair, isScalar, isSeq, parseDocument, visit, type Document, type Node } from 'yaml'
import { inWords, shown } from '../shared/answer.js'
import { check } from './check.js'
import { portableExperimentSchema, type Experiment } from './experiment.js'
import { MAX_NESTING, isTooDeep } from '../shared/yaml-nesting.js'
import { substituted, type Variables } from './variables.js'

/** Limits of a file: its length in characters and its number of aliases. */
export const MAX_FILE = 250_000
const MAX_ALIASES = 100
/** The most commas and line ends. The parser compares each key of a map with every other key. */
const MAX_SEPARATORS = 10_000
/** The most problems whose position is looked up. Each lookup walks through the document. */
const MAX_PLACED = 500
/** The most problems that a message lists. */
const MAX_PROBLEMS = 50

/** Options of {@link parseExperiment}. */
export interface ParseOptions {
  /** File name for messages. Default `experiment`. */
  readonly filename?: string
  /** Values of `${NAME}` in texts. Default: texts stay as they are, and the run fills them in. */
  readonly variables?: Variables
}

/**
 * Parses an experiment from YAML or JSON.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT` when the text is not a valid experiment. The message lists up to 50
 *   problems with file, line and column.
 */
export function parseExperiment(text: string, { filename = 'experiment', variables }: ParseOptions = {}): Experiment {
  if (text.length > MAX_FILE)
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `${filename}: The experiment has ${text.length} characters, more than ${MAX_FILE}.`,
    )
  if (text.split(/[\n,]/, MAX_SEPARATORS + 1).length > MAX_SEPARATORS)
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `${filename}: The experiment has more than ${MAX_SEPARATORS} lines and commas.`,
    )
  if (isTooDeep(text))
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `${filename}: The experiment is nested deeper than ${MAX_NESTING} levels.`,
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

/** @throws ChaosError `CHAOS_INVALID_EXPERIMENT` when the YAML parser itself fails */
function documentOf(text: string, lineCounter: LineCounter): Document {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false })
  } catch (error) {
    throw unresolved(error)
  }
}

function unresolved(error: unknown): ChaosError {
  return new ChaosError('CHAOS_INVALID_EXPERIMENT', `The YAML cannot be resolved: ${inWords(error)}.`, { cause: error })
}

/** The document as a value. @throws ChaosError `CHAOS_INVALID_EXPERIMENT` when its aliases expand to too many values */
function valueOf(document: Document): unknown {
  try {
    return document.toJS()
  } catch (error) {
    throw unresolved(error)
  }
}

/** Aliases without an anchor before them. The parser does not report these. */
function aliasesOfNothing(document: Document): { offset: number; message: string }[] {
  const problems: { offset: number; message: string }[] = []
  let count = 0
  visit(document, {
    Alias(_key, alias) {
      count += 1
      // Resolving an alias searches the whole document, so their number is limited.
      if (count > MAX_ALIASES) {
        problems.push({
          offset: alias.range?.[0] ?? 0,
          message: `The experiment has more than ${MAX_ALIASES} aliases.`,
        })
        return visit.BREAK
      }
      if (alias.resolve(document) !== undefined) return undefined
      problems.push({
        offset: alias.range?.[0] ?? 0,
        message: `The alias \`*${shown(alias.source)}\` has no anchor \`&${shown(alias.source)}\` before it. Put a text that begins with \`*\` in quotes.`,
      })
      return undefined
    },
  })
  return problems
}

/** Substitutes variables in every text value. Keys stay as they are. */
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

/** The offset of a problem: its key if the document contains it, otherwise the nearest enclosing node. */
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
