import { ChaosError } from '@chaos/core'
import {
  globMatcher,
  type InjectionContext,
  isGlob,
  option,
  unknownName,
  type Seam,
  type SeamOperation,
} from '@chaos/core/authoring'
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { FileCallers, givenUpBy } from './callers.js'
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

/** The option that says which files; every fault of files has it. */
export const pathsOption = option.names(
  'The files and folders to affect: paths or globs, `*` for any run of characters, `/` included. Relative ones belong to the current folder.',
)

/** The option that says which operations. */
export const operationsOption = (fallback: string) =>
  option.optional(option.names(`The system calls to affect: names or globs. ${fallback}`))

/** The operations that names and globs mean. @throws ChaosError `CHAOS_INVALID_OPTION` for one that means none */
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

/** What a fault acts on. */
interface ChosenFiles {
  readonly paths: string | readonly string[]
  readonly operations: readonly FileOperation[]
  /** Which operations it can do with; the others are outside its blast radius. Default: all. */
  readonly when?: ((asked: FileCall) => boolean) | undefined
  /** Whether operations are made to wait, so that their callers' signals matter. Default `false`. */
  readonly waits?: boolean
}

/** An operation on a file, before it reaches the system. */
export interface FileCall extends SeamOperation {
  /** The system call. */
  readonly operation: FileOperation
  /** Paths as errors of this operation name them: as they were given, and none for what works on a descriptor. */
  readonly paths: readonly string[]
  /** Whether it opens a file to write to it. */
  readonly writes: boolean
}

/**
 * The operations on files that the process asks for, beneath everything that JavaScript sees of them. The name of one is the system call and the full path.
 *
 * What Node.js' module loader asks for passes, and so does what lies in `node_modules`, unless a path names that: a fault of files must not leave the
 * process unable to load code.
 */
export function fileSeam(files: ChosenFiles): Seam<FileSystem, FileCall> {
  return (_fs, context, act) => lay(files, context, act)
}

function lay(
  { paths, operations, when, waits = false }: ChosenFiles,
  context: InjectionContext,
  act: (call: FileCall) => unknown,
): void {
  const wanted = new Set<FileOperation>(operations)
  const isInside = insideOf([paths].flat())
  const descriptors = new Descriptors()
  const callers = new FileCallers()
  if (waits) callers.watch(context)
  const refusalOf = waits ? watchDescriptors(context) : undefined

  /** The first of the operations of a call that is chosen. */
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
    const caller = callers.of(isOpen ? first : undefined)
    for (const operation of place.operations) {
      if (!wanted.has(operation) || (operation === 'open' && isOpen)) continue
      const writes = operation === 'open' && (place.writes ?? asksToWrite(args[place.flags ?? -1]))
      const named = operation === 'write' || (operation === 'read' && place.writes === undefined) ? [] : given
      let form = formOf(place, self, args, proceed)
      if (refusalOf !== undefined) form = heldOn(form, refusalOf(operation, isOpen ? first : undefined, args))
      if (caller !== undefined) form = givenUpBy(caller, form)
      const name = `${operation} ${file}`
      const call: FileCall = {
        ...form,
        name,
        args,
        operation,
        paths: named,
        writes,
        proceed,
        signal: caller?.signal,
      }
      if (when?.(call) === false || isModuleLoaderAsking()) continue
      if (context.operation(name).shouldInject(args)) return call
    }
    return undefined
  }

  // Whom a descriptor belongs to is noted when it is opened, where that must be known.
  const notes = waits || process.platform !== 'linux'
  for (const place of filePlaces()) {
    const opens = notes && place.operations.join() === 'open'
    if (!opens && !place.operations.some((operation) => wanted.has(operation))) continue
    context.patch(
      place.holder,
      place.key,
      (below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          const caller = opens ? callers.of(undefined) : undefined
          const proceed = (): unknown => {
            const answer = (below.call as FileFunction).apply(this, args)
            if (opens) {
              whenOpened(args, answer, (descriptor) => {
                descriptors.opened(descriptor, fullPath(pathIn(args[0]) ?? ''))
                callers.opened(descriptor, caller)
              })
            }
            return answer
          }
          const call = descriptors.isLooking ? undefined : choose(place, this, args, proceed)
          return call === undefined ? proceed() : act(call)
        },
    )
  }
}

/** Whether a full path is meant. */
function insideOf(patterns: readonly string[]): (file: string) => boolean {
  const full = patterns.map((pattern) => (pattern.startsWith('*') ? pattern : fullPath(pattern)))
  const matches = globMatcher([...full, ...full.filter((pattern) => !pattern.startsWith('*')).map(behindLinks)])
  const coversPackages = patterns.some((pattern) => pattern.includes('node_modules'))
  return (file) => matches(file) && (coversPackages || !/[\\/]node_modules[\\/]/.test(file))
}

/** The same pattern where links lead: what a descriptor leads to is told without them. The file itself need not be there yet. */
function behindLinks(pattern: string): string {
  const folder = dirname(isGlob(pattern) ? pattern.slice(0, pattern.search(/[*?]/) + 1) : pattern)
  for (const fixed of isGlob(pattern) ? [folder] : [pattern, folder]) {
    try {
      return realpathSync(fixed) + pattern.slice(fixed.length)
    } catch {
      // Not there: its folder may be.
    }
  }
  return pattern
}
