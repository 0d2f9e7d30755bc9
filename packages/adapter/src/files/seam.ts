import { ChaosError } from '@chaos/core'
import {
  builtin,
  globMatcher,
  type InjectionContext,
  isGlob,
  option,
  unknownName,
  type Seam,
  type SeamOperation,
} from '@chaos/core/authoring'
import fs from 'node:fs'
import importedPath from 'node:path'
import { formOf, whenOpened } from './forms.js'
import { heldOn, watchDescriptors } from './held-files.js'
import {
  asksToWrite,
  Descriptors,
  fileOperations,
  filePlaces,
  fullPath,
  pathIn,
  type FileFunction,
  type FileOperation,
  type FileSystem,
  type FilePlace,
} from './places.js'
import { isModuleLoaderAsking } from './module-loader.js'
import { unwrapped } from './unwrapped.js'

// A copy: a stub of a test must not answer.
const realpathSync = unwrapped(builtin('node:fs', fs).realpathSync)
const nodePath = builtin('node:path', importedPath)

/** The option with the files to affect, which all file faults share. */
export const pathsOption = option.names(
  'Files and folders to affect: paths or globs, where `*` also matches `/`. Relative paths start at the current folder.',
)

/** The option with the system calls to affect. */
export const operationsOption = (fallback: string) =>
  option.optional(option.names(`System calls to affect: names or globs. ${fallback}`))

/**
 * Returns the operations that match names or globs.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a name or glob matches nothing.
 */
export function operationsNamed(
  fault: string,
  names: string | readonly string[] | undefined,
): readonly FileOperation[] | undefined {
  if (names === undefined) return undefined
  return [names].flat().flatMap((name) => {
    const found = fileOperations.filter(globMatcher([name]))
    if (found.length > 0) return found
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Option \`operations\` of ${fault}: ${unknownName('system call', name, fileOperations)}`,
    )
  })
}

/** The operations that a fault affects. */
interface ChosenFiles {
  readonly paths: string | readonly string[]
  readonly operations: readonly FileOperation[]
  /** Selects the operations that the fault supports; the others are outside its blast radius. Default: all. */
  readonly when?: ((asked: FileCall) => boolean) | undefined
  /** Whether the fault makes operations wait. Default: `false`. */
  readonly waits?: boolean
}

/**
 * A file operation, before it reaches the system. It has no signal of its caller: Node.js looks at the signal of a `readFile`
 * or `writeFile` between two steps, and a step that the system does not answer goes on.
 */
export interface FileCall extends SeamOperation {
  /** The system call. */
  readonly operation: FileOperation
  /** The paths in errors of this operation: as given, or none for an operation on a descriptor. */
  readonly paths: readonly string[]
  /** Whether the operation opens a file to write to it. */
  readonly writes: boolean
  /** Returns whether the file exists. */
  readonly isThere: () => boolean
}

/**
 * The file operations of the process, beneath all JavaScript code of `fs`. The name of an operation is the system call
 * and the full path.
 *
 * Operations of the Node.js module loader pass. So do operations on files in `node_modules`, unless a path names that
 * folder. A file fault must not leave the process unable to load code.
 */
export function fileSeam(files: ChosenFiles): Seam<FileSystem, FileCall> {
  return (_fs, context, act) => patchFiles(files, context, act)
}

function patchFiles(
  { paths, operations, when, waits = false }: ChosenFiles,
  context: InjectionContext,
  act: (call: FileCall) => unknown,
): void {
  const wanted = new Set<FileOperation>(operations)
  const isInside = insideOf([paths].flat())
  const descriptors = new Descriptors()
  const refusalOf = waits ? watchDescriptors(context) : undefined

  /** Returns the first chosen operation of a call. */
  const choose = (
    place: FilePlace,
    self: unknown,
    args: readonly unknown[],
    proceed: () => unknown,
  ): FileCall | undefined => {
    const first = place.descriptorOf?.(self as never) ?? args[0]
    const isOpen = typeof first === 'number'
    const given = isOpen
      ? []
      : (place.paths ?? [0]).map((index) => pathIn(args[index])).filter((path) => path !== undefined)
    const files = isOpen ? [descriptors.pathOf(first)].filter((path) => path !== undefined) : given.map(fullPath)
    const file = files.find(isInside)
    if (file === undefined) return undefined
    for (const operation of place.operations) {
      if (!wanted.has(operation) || (operation === 'open' && isOpen)) continue
      const writes = operation === 'open' && (place.writes ?? asksToWrite(args[place.flags ?? -1]))
      const named = operation === 'write' || (operation === 'read' && place.writes === undefined) ? [] : given
      let form = formOf(place, self, args, proceed)
      if (refusalOf !== undefined) form = heldOn(form, refusalOf(operation, isOpen ? first : undefined, args))
      const name = `${operation} ${file}`
      const call: FileCall = {
        ...form,
        name,
        args,
        operation,
        // The system replaces the six letters.
        paths: operation === 'mkdtemp' ? named.map((path) => path.replace(/(?:XXXXXX)?$/, 'XXXXXX')) : named,
        writes,
        isThere: () => descriptors.isThere(file),
        proceed,
      }
      if (when?.(call) === false || isModuleLoaderAsking()) continue
      if (context.operation(name).shouldInject(args)) return call
    }
    return undefined
  }

  const recordsDescriptors = process.platform !== 'linux'
  for (const place of filePlaces()) {
    const opens = recordsDescriptors && place.operations.join() === 'open'
    if (!opens && !place.operations.some((operation) => wanted.has(operation))) continue
    context.patch(
      place.holder,
      place.key,
      (below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          const proceed = (): unknown => {
            const answer = (below.call as FileFunction).apply(this, args)
            if (opens) {
              whenOpened(args, answer, (descriptor) => descriptors.opened(descriptor, fullPath(pathIn(args[0]) ?? '')))
            }
            return answer
          }
          const call = descriptors.isResolving ? undefined : choose(place, this, args, proceed)
          return call === undefined ? proceed() : act(call)
        },
    )
  }
}

/** Returns a function that decides whether a full path is in the blast radius. */
function insideOf(patterns: readonly string[]): (file: string) => boolean {
  const full = patterns.map((pattern) => (pattern.startsWith('*') ? pattern : fullPath(pattern)))
  const matches = globMatcher([...full, ...full.filter((pattern) => !pattern.startsWith('*')).map(behindLinks)])
  const coversPackages = patterns.some((pattern) => pattern.includes('node_modules'))
  return (file) => matches(file) && (coversPackages || !/[\\/]node_modules[\\/]/.test(file))
}

/** Resolves the links in a pattern, since the path of a descriptor has none. The file need not exist yet. */
function behindLinks(pattern: string): string {
  const folder = nodePath.dirname(isGlob(pattern) ? pattern.slice(0, pattern.search(/[*?]/) + 1) : pattern)
  for (const fixed of isGlob(pattern) ? [folder] : [pattern, folder]) {
    try {
      return realpathSync(fixed) + pattern.slice(fixed.length)
    } catch {
      // The file does not exist, but its folder may.
    }
  }
  return pattern
}
