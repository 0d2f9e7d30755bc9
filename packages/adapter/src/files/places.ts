import type { TargetKind } from '@chaos/core/authoring'
import { ChaosError } from '@chaos/core'
import fs from 'node:fs'
import { devNull } from 'node:os'
import { resolve } from 'node:path'

/** What the faults of files break: Node.js' own `fs` module in all of its forms, or `fs/promises`, which stands for the same. */
export type FileSystem =
  Pick<typeof fs, 'createReadStream' | 'readFile'> | Pick<typeof fs.promises, 'open' | 'readFile'>

/** Whether a value is one of the two, by its default export or as a namespace. */
function isFileSystem(value: unknown): value is FileSystem {
  if (value === fs || value === fs.promises) return true
  if (typeof value !== 'object' || value === null || !('constants' in value) || !('readFile' in value)) return false
  return value.constants === fs.constants || value.constants === fs.promises.constants
}

/** The kind of target that faults take. */
export const fileSystem: TargetKind<FileSystem> = {
  expects: 'the `node:fs` or `node:fs/promises` module',
  accepts: isFileSystem,
}

/** A function of libuv as Node.js binds it. */
export type FileFunction = (...args: unknown[]) => unknown

/** How a function of the binding asks the system. */
interface FileFunctionInfo {
  /** The system calls that it makes, in order, by the names that errors give them. */
  readonly operations: readonly FileOperation[]
  /** Which arguments are paths. Default: the first. What takes a descriptor has none: its first argument is a number. */
  readonly paths?: readonly number[]
  /** Which argument holds the flags of `open`. */
  readonly flags?: number
  /** Whether a job writes, which has its flags already. */
  readonly writes?: boolean
}

/** The functions of the binding that faults act on, beneath the callback, synchronous, stream and promise forms alike. */
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

/** Jobs of Node.js 26 and up, which do in one go what `readFile` and `writeFile` did in several. Their errors name the path also where reading fails. */
const JOBS = {
  ReadFileJob: { operations: ['open', 'read'], writes: false },
  WriteFileJob: { operations: ['open', 'write'], writes: true },
} as const

/** The name of an operation on files: the system call's, as errors name it. */
export type FileOperation = (typeof FUNCTIONS)[keyof typeof FUNCTIONS]['operations'][number]

/** All of them. */
export const fileOperations = [...new Set(Object.values(FUNCTIONS).flatMap(({ operations }) => [...operations]))] as [
  FileOperation,
  ...FileOperation[],
]

/** A place where the system is asked. */
export interface FilePlace extends FileFunctionInfo {
  readonly holder: object
  readonly key: string
  /** For a method of a step of `readFile` and the like: the descriptor that it works on. */
  readonly descriptorOf?: (step: never) => number
  /** And who is told that it failed. */
  readonly tell?: (step: never, error: Error) => void
}

/**
 * The places that this version of Node.js has.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the process may not reach them, as under `node --permission`
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
      tell: (job: Job, error: Error) => job.ondone(error),
      ...info,
    })),
    {
      holder: readingPrototype(binding),
      key: 'read',
      operations: ['read'],
      descriptorOf: ({ fd }: Reading) => fd,
      tell: (reading: Reading, error: Error) => reading.close(error),
    },
  ]
}

/** A job of the thread pool, and whom it tells. */
interface Job {
  readonly ondone: (error: Error) => void
}

/** A `readFile` with a callback, on its way. */
interface Reading {
  readonly fd: number
  readonly close: (error: Error) => void
}

/** Whoever reads for `readFile` with a callback took `read` out of the binding when it was loaded: what it reads passes its own method alone. */
function readingPrototype(binding: Record<string, unknown>): object {
  const { open } = binding
  const requests: unknown[] = []
  try {
    binding['open'] = (...args: readonly unknown[]) => void requests.push(...args)
    // With a buffer of its own, Node.js 26 reads step by step, as the others always do.
    fs.readFile(devNull, { buffer: Buffer.alloc(1) } as object, () => undefined)
  } finally {
    binding['open'] = open
  }
  const request = requests.find(
    (arg): arg is { readonly context: object } => typeof arg === 'object' && arg !== null && 'context' in arg,
  )
  if (request === undefined)
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Expected a \`readFile\` that opens its file through the binding, got that of Node.js ${process.version}, which does not.`,
    )
  return Object.getPrototypeOf(request.context) as object
}

/** What all forms of `fs` call: Node.js' binding of libuv. */
export function fileBinding(): Record<string, unknown> {
  try {
    return (process as unknown as { readonly binding: (name: string) => Record<string, unknown> }).binding('fs')
  } catch (cause) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      'Expected a process that may reach the binding of its file system, got one that may not. Run it without `--permission`.',
      { cause },
    )
  }
}

/** The path of an argument, as it was given; `undefined` for what is none. */
export function pathIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? Buffer.from(value).toString() : undefined
}

/** A path in full, as filters match it. */
export function fullPath(path: string): string {
  return resolve(path.replace(/^\\\\\?\\/, ''))
}

/** Tells what open descriptors lead to: on Linux the system does, elsewhere it is known of those that were opened while the fault was in force. */
export class Descriptors {
  readonly #opened = new Map<number, string>()
  /** Whether it is looking right now, through the very functions that are patched. */
  isLooking = false

  /** Remembers what was opened. */
  opened(descriptor: number, path: string): void {
    if (process.platform !== 'linux') this.#opened.set(descriptor, path)
  }

  /** The full path of a file; `undefined` for what is none, such as a pipe. */
  pathOf(descriptor: number): string | undefined {
    if (process.platform !== 'linux') return this.#opened.get(descriptor)
    this.isLooking = true
    try {
      const path = fs.readlinkSync(`/proc/self/fd/${descriptor}`).replace(/ \(deleted\)$/, '')
      return path.startsWith('/') ? path : undefined
    } catch {
      return undefined
    } finally {
      this.isLooking = false
    }
  }
}

/** Whether flags of `open` ask to write. */
export function asksToWrite(flags: unknown): boolean {
  const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = fs.constants
  return typeof flags === 'number' && (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)) !== 0
}
