import { ChaosError } from '@chaos/core'
import { builtin, type TargetKind } from '@chaos/core/authoring'
import importedFs from 'node:fs'
import { devNull } from 'node:os'
import importedPath from 'node:path'
import { types } from 'node:util'
import { unwrapped } from './unwrapped.js'

const fs = builtin('node:fs', importedFs)
const nodePath = builtin('node:path', importedPath)
// Copies: the spies and stubs of a test must neither answer nor count what the fault asks for itself.
const existsSync = unwrapped(fs.existsSync)
const readFile = unwrapped(fs.readFile)
const readlinkSync = unwrapped(fs.readlinkSync)

/**
 * The target of file faults: the `fs` module of Node.js in all of its forms, or `fs/promises`, which means the same.
 */
export type FileSystem =
  | Pick<typeof fs, 'createReadStream' | 'readFile'>
  | Pick<typeof fs.promises, 'open' | 'readFile'>

/** Returns whether a value is one of the two modules, as default export or namespace. */
function isFileSystem(value: unknown): value is FileSystem {
  if (value === fs || value === fs.promises) return true
  if (typeof value !== 'object' || value === null || !('constants' in value) || !('readFile' in value)) return false
  return value.constants === fs.constants || value.constants === fs.promises.constants
}

/** The kind of target that file faults accept. */
export const fileSystem: TargetKind<FileSystem> = {
  expects: 'the `node:fs` or `node:fs/promises` module',
  accepts: isFileSystem,
}

/** A function of the native `fs` binding. */
export type FileFunction = (...args: unknown[]) => unknown

/** The system calls of a function of the binding. */
interface FileFunctionInfo {
  /** The system calls that the function makes, in order, by their names in errors. */
  readonly operations: readonly FileOperation[]
  /**
   * The indexes of the path arguments. Default: the first. A function whose first argument is a descriptor (a number)
   * has none.
   */
  readonly paths?: readonly number[]
  /** The index of the argument that holds the flags of `open`. */
  readonly flags?: number
  /** Whether a job opens its file to write. The arguments of its `run` do not include the flags. */
  readonly writes?: boolean
}

/** The functions of the binding that faults patch, beneath the callback, synchronous, stream and promise forms. */
const FUNCTIONS = {
  open: { operations: ['open'], flags: 1 },
  openFileHandle: { operations: ['open'], flags: 1 },
  readFileUtf8: { operations: ['open', 'read'], flags: 1 },
  writeFileUtf8: { operations: ['open', 'write'], flags: 2 },
  read: { operations: ['read'] },
  readBuffers: { operations: ['read'] },
  writeBuffer: { operations: ['write'] },
  writeBuffers: { operations: ['write'] },
  writeString: { operations: ['write'] },
  fsync: { operations: ['fsync'] },
  fdatasync: { operations: ['fdatasync'] },
  ftruncate: { operations: ['ftruncate'] },
  fstat: { operations: ['fstat'] },
  fchmod: { operations: ['fchmod'] },
  fchown: { operations: ['fchown'] },
  futimes: { operations: ['futime'] },
  access: { operations: ['access'] },
  existsSync: { operations: ['access'] },
  stat: { operations: ['stat'] },
  lstat: { operations: ['lstat'] },
  statfs: { operations: ['statfs'] },
  readdir: { operations: ['scandir'] },
  readdirRecursive: { operations: ['scandir'] },
  readlink: { operations: ['readlink'] },
  realpath: { operations: ['realpath'] },
  mkdir: { operations: ['mkdir'] },
  mkdtemp: { operations: ['mkdtemp'] },
  rmdir: { operations: ['rmdir'] },
  unlink: { operations: ['unlink'] },
  chmod: { operations: ['chmod'] },
  chown: { operations: ['chown'] },
  lchown: { operations: ['lchown'] },
  utimes: { operations: ['utime'] },
  lutimes: { operations: ['lutime'] },
  rename: { operations: ['rename'], paths: [0, 1] },
  copyFile: { operations: ['copyfile'], paths: [0, 1] },
  link: { operations: ['link'], paths: [0, 1] },
  symlink: { operations: ['symlink'], paths: [0, 1] },
} as const satisfies Readonly<
  Record<
    string,
    { readonly operations: readonly string[]; readonly paths?: readonly number[]; readonly flags?: number }
  >
>

/**
 * The jobs of Node.js 26 and up, each of which does at once what `readFile` or `writeFile` did in several steps. Their
 * errors name the path even if reading fails.
 */
const JOBS = {
  ReadFileJob: { operations: ['open', 'read'], writes: false },
  WriteFileJob: { operations: ['open', 'write'], writes: true },
} as const

/** The name of a file operation: the system call, as errors name it. */
export type FileOperation = (typeof FUNCTIONS)[keyof typeof FUNCTIONS]['operations'][number]

/** The names of all file operations. */
export const fileOperations = [...new Set(Object.values(FUNCTIONS).flatMap(({ operations }) => [...operations]))] as [
  FileOperation,
  ...FileOperation[],
]

/** A function at which file operations are patched. */
export interface FilePlace extends FileFunctionInfo {
  readonly holder: object
  readonly key: string
  /** Returns the descriptor of a step of `readFile` and the like. */
  readonly descriptorOf?: (step: never) => number
  /** Reports the failure of a step. */
  readonly reportFailure?: (step: never, error: Error) => void
}

/**
 * Returns the places of this version of Node.js.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the process may not use the binding, as under `node --permission`.
 */
export function filePlaces(): FilePlace[] {
  const binding = fileBinding()
  const functions = Object.entries<FileFunctionInfo>(FUNCTIONS).filter(([key]) => typeof binding[key] === 'function')
  const jobs = Object.entries<FileFunctionInfo>(JOBS).filter(([key]) => typeof binding[key] === 'function')
  return [
    ...functions.map(([key, info]) => ({ holder: binding, key, ...info })),
    ...jobs.map(([key, info]) => ({
      holder: (binding[key] as { readonly prototype: object }).prototype,
      key: 'run',
      reportFailure: (job: Job, error: Error) => job.ondone(error),
      ...info,
    })),
    {
      holder: readingPrototype(binding),
      key: 'read',
      operations: ['read'],
      descriptorOf: ({ fd }: Reading) => fd,
      reportFailure: (reading: Reading, error: Error) => reading.close(error),
    },
  ]
}

/** A job of the thread pool. */
interface Job {
  readonly ondone: (error: Error) => void
}

/** A running `readFile` with a callback. */
interface Reading {
  readonly fd: number
  readonly close: (error: Error) => void
}

/**
 * Returns the prototype of running `readFile` operations with a callback. Their code captured `read` of the binding at
 * load, so only the `read` method of this prototype can be patched.
 */
function readingPrototype(binding: Record<string, unknown>): object {
  const { open } = binding
  const requests: unknown[] = []
  try {
    binding['open'] = (...args: readonly unknown[]) => void requests.push(...args)
    // With a `buffer` option, Node.js 26 reads step by step, as older versions always do.
    readFile(devNull, { buffer: Buffer.alloc(1) } as object, () => undefined)
  } finally {
    binding['open'] = open
  }
  const request = requests.find(
    (arg): arg is { readonly context: object } => typeof arg === 'object' && arg !== null && 'context' in arg,
  )
  if (request === undefined)
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `File faults do not support Node.js ${process.version}: its \`readFile\` does not open files through the native binding. Use a version in the \`engines\` range of @chaos/adapter.`,
    )
  return Object.getPrototypeOf(request.context) as object
}

/** Returns the native `fs` binding, which all forms of `fs` call. */
export function fileBinding(): Record<string, unknown> {
  try {
    return (process as unknown as { readonly binding: (name: string) => Record<string, unknown> }).binding('fs')
  } catch (cause) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      'File faults need the native `fs` binding, which `--permission` denies. Run the process without `--permission`.',
      { cause },
    )
  }
}

/** Returns the path in an argument, as given; `undefined` if the argument is not a path. */
export function pathIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return types.isUint8Array(value) ? Buffer.from(value).toString() : undefined
}

/** Returns the full path, which filters match. */
export function fullPath(path: string): string {
  return nodePath.resolve(path.replace(/^\\\\\?\\/, ''))
}

/**
 * Resolves open descriptors to paths: on Linux with the help of the system, elsewhere from the files that were opened
 * while the fault was in force.
 */
export class Descriptors {
  readonly #opened = new Map<number, string>()
  /** Whether a resolution is running. It calls the patched functions itself. */
  isResolving = false

  /** Records the path of a new descriptor. */
  opened(descriptor: number, path: string): void {
    if (process.platform !== 'linux') this.#opened.set(descriptor, path)
  }

  /** Returns the full path of a descriptor; `undefined` if it is not a file, such as a pipe. */
  pathOf(descriptor: number): string | undefined {
    if (process.platform !== 'linux') return this.#opened.get(descriptor)
    try {
      const path = this.#resolving(() => readlinkSync(`/proc/self/fd/${descriptor}`)).replace(/ \(deleted\)$/, '')
      return path.startsWith('/') ? path : undefined
    } catch {
      return undefined
    }
  }

  /** Returns whether a path exists, past the fault. */
  isThere(path: string): boolean {
    return this.#resolving(() => existsSync(path))
  }

  #resolving<Answer>(ask: () => Answer): Answer {
    this.isResolving = true
    try {
      return ask()
    } finally {
      this.isResolving = false
    }
  }
}

/** Returns whether flags of `open` request write access. */
export function asksToWrite(flags: unknown): boolean {
  const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = fs.constants
  return typeof flags === 'number' && (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)) !== 0
}
