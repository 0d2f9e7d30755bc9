import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ChaosError } from '@chaos/core'
import { reasonOf } from '../shared/answer.js'
import { defineExperiment } from './define.js'
import type { Experiment, ExperimentInput } from './experiment.js'
import { MAX_FILE, parseExperiment } from './parse.js'
import { withVariables, type Variables } from './variables.js'

/**
 * Loads an experiment from a file: YAML, JSON, or a module whose default export is an experiment (or makes one from the variables).
 * TypeScript is loaded by the runtime, where it can (Node.js 22.18 and up strip types by themselves).
 *
 * @param options.variables What `${NAME}` in a text stands for. Default: left as it is, for the run to fill in.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT`
 */
export async function loadExperiment(
  path: string,
  { variables }: { readonly variables?: Variables } = {},
): Promise<Experiment> {
  const extension = extname(path)
  if (['.yaml', '.yml', '.json'].includes(extension)) {
    const text = await textOf(path).catch((error: unknown) => {
      throw new ChaosError('CHAOS_INVALID_EXPERIMENT', `Expected an experiment at ${path}: ${reasonOf(error)}`, {
        cause: error,
      })
    })
    return parseExperiment(text, { filename: path, ...(variables === undefined ? {} : { variables }) })
  }
  if (!['.js', '.mjs', '.cjs', '.ts', '.mts'].includes(extension)) {
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `Expected a file that ends in .yaml, .yml, .json, .js, .mjs, .cjs, .ts or .mts, got \`${path}\`.`,
    )
  }
  const loaded = (await import(pathToFileURL(resolve(path)).href).catch((error: unknown) => {
    const hint = extension.endsWith('ts')
      ? ' This version of Node.js may not load TypeScript: use 22.18 or newer, or compile it first.'
      : ''
    throw new ChaosError('CHAOS_INVALID_EXPERIMENT', `Expected a module at ${path}: ${reasonOf(error)}.${hint}`, {
      cause: error,
    })
  })) as { readonly default?: unknown }
  const exported = loaded.default
  if (exported === undefined)
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `Expected ${path} to have an experiment as its default export, got none.`,
    )
  const made: unknown =
    typeof exported === 'function'
      ? await madeBy(exported as (given: Variables) => unknown, variables ?? {}, path)
      : exported
  const experiment = defineExperiment(made as ExperimentInput)
  return variables === undefined ? experiment : withVariables(experiment, variables)
}

/** What the default export of a module makes. @throws ChaosError `CHAOS_INVALID_EXPERIMENT` when that fails */
async function madeBy(make: (given: Variables) => unknown, variables: Variables, path: string): Promise<unknown> {
  try {
    return await make(variables)
  } catch (error) {
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `Expected the default export of ${path} to make an experiment: ${reasonOf(error)}`,
      { cause: error },
    )
  }
}

/** The text of a file; never more than an experiment may have. @throws when it is no file, or longer */
async function textOf(path: string): Promise<string> {
  // A pipe that nobody writes to would be waited for. Windows has no such flag, and `|` takes nothing for 0.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new Error('it is not a file')
    const { size } = stats
    // No character has more than four bytes.
    if (size > 4 * MAX_FILE)
      throw new Error(`it has ${size} bytes, and an experiment has at most ${MAX_FILE} characters`)
    const buffer = Buffer.alloc(4 * MAX_FILE + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      ({ bytesRead: read } = await file.read(buffer, length, buffer.length - length))
    return buffer.toString('utf8', 0, length)
  } finally {
    await file.close()
  }
}
