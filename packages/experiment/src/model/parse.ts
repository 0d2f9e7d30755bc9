import { ChaosError } from '@chaos/core'
import { LineCounter, isMap, isPair, isScalar, isSeq, parseDocument, visit, type Document, type Node } from 'yaml'
import { check } from './check.js'
import { portableExperimentSchema, type Experiment } from './experiment.js'
import { substituted, type Variables } from './variables.js'

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
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const problems: { readonly offset: number; readonly message: string }[] = document.errors.map(({ message, pos }) => ({ offset: pos[0], message }))
  let experiment: Experiment | undefined
  problems.push(...aliasesOfNothing(document))
  if (problems.length === 0) {
    if (variables !== undefined) problems.push(...fillIn(document, variables))
    const result = check(portableExperimentSchema, valueOf(document))
    if ('experiment' in result) experiment = result.experiment
    else problems.push(...result.problems.map(({ path, message }) => ({ offset: offsetOf(document, path), message: path.length === 0 ? message : `${path.join('.')}: ${message}` })))
  }
  if (experiment !== undefined && problems.length === 0) return experiment
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${filename}:${line}:${col}`
  }
  throw new ChaosError('CHAOS_INVALID_EXPERIMENT', [...problems].sort((a, b) => a.offset - b.offset).map(({ offset, message }) => `${place(offset)}: ${message}`).join('\n'))
}

/** The document as a value. @throws ChaosError `CHAOS_INVALID_EXPERIMENT` where aliases stand for more than anybody would write */
function valueOf(document: Document): unknown {
  try {
    return document.toJS()
  } catch (error) {
    throw new ChaosError('CHAOS_INVALID_EXPERIMENT', `Expected an experiment, got YAML that cannot be resolved: ${error instanceof Error ? error.message : String(error)}.`, { cause: error })
  }
}

/** Aliases that no anchor stands before: the parser does not look. */
function aliasesOfNothing(document: Document): { offset: number; message: string }[] {
  const problems: { offset: number; message: string }[] = []
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return
      problems.push({ offset: alias.range?.[0] ?? 0, message: `Expected an anchor \`&${alias.source}\` before this alias, got none. A text that begins with \`*\` stands in quotes.` })
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
      node.value = substituted(node.value, variables, (message) => problems.push({ offset: node.range?.[0] ?? 0, message }))
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
