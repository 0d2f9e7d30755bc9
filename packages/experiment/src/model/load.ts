import { constants, existsSync } from 'node:fs'
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
 * Loads an experiment from a YAML or JSON file, or from a module. The module's default export is an experiment, or a
 * function that makes one from the variables. TypeScript modules need a runtime that loads them: Node.js 22.18 and
 * later strip types.
 *
 * @param options.variables Values of `${NAME}` in texts. Default: texts stay as they are, and the run fills them in.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT` when the file cannot be read or loaded, or its experiment is invalid
 */
export async function loadExperiment(
  path: string,
  { variables }: { readonly variables?: Variables } = {},
): Promise<Experiment> {
  const extension = extname(path)
  if (['.yaml', '.yml', '.json'].includes(extension)) {
    const text = await textOf(path).catch((error: unknown) => {
      throw new ChaosError(
        'CHAOS_INVALID_EXPERIMENT',
        `The experiment file ${path} cannot be read: ${reasonOf(error)}`,
        {
          cause: error,
        },
      )
    })
    return parseExperiment(text, { filename: path, ...(variables === undefined ? {} : { variables }) })
  }
  if (!['.js', '.mjs', '.cjs', '.ts', '.mts'].includes(extension)) {
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      existsSync(path)
        ? `Unknown file type of ${path}. Name the file .yaml, .yml, .json, .js, .mjs, .cjs, .ts or .mts.`
        : `There is no file or folder ${path}.`,
    )
  }
  const loaded = (await import(pathToFileURL(resolve(path)).href).catch((error: unknown) => {
    const hint = extension.endsWith('ts')
      ? ' Node.js before 22.18 cannot load TypeScript. Use a newer version, or compile the module first.'
      : ''
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `The module ${path} cannot be loaded: ${reasonOf(error)}.${hint}`,
      {
        cause: error,
      },
    )
  })) as { readonly default?: unknown }
  const exported = loaded.default
  if (exported === undefined)
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `The module ${path} has no default export. Export the experiment, or a function that makes it, as the default.`,
    )
  const made: unknown =
    typeof exported === 'function'
      ? await madeBy(exported as (given: Variables) => unknown, variables ?? {}, path)
      : exported
  const experiment = defineExperiment(made as ExperimentInput)
  return variables === undefined ? experiment : withVariables(experiment, variables)
}

/** Calls the function that a module exports. @throws ChaosError `CHAOS_INVALID_EXPERIMENT` when it fails */
async function madeBy(make: (given: Variables) => unknown, variables: Variables, path: string): Promise<unknown> {
  try {
    return await make(variables)
  } catch (error) {
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `The default export of ${path} failed to make an experiment: ${reasonOf(error)}`,
      { cause: error },
    )
  }
}

/** Reads a file up to the size limit of experiments. @throws Error when it is not a file, or larger */
async function textOf(path: string): Promise<string> {
  // Without O_NONBLOCK, opening a pipe without a writer would hang. The flag is undefined on Windows, which `|` treats
  // as 0.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new Error('it is not a file')
    const { size } = stats
    // A character has at most four bytes in UTF-8.
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
