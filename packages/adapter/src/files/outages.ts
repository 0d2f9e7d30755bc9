import { builtin, type Errno } from '@chaos/core/authoring'
import fs from 'node:fs'
import type { FileCall } from './seam.js'
import type { FileOperation } from './places.js'
import type { fileSystemErrors } from '../errors/file-system.js'

/** An outage of the file system: which operations fail, and with which error. */
export interface FileOutage {
  readonly code: Errno
  /** The operations that fail in the real outage. */
  readonly operations: readonly [FileOperation, ...FileOperation[]]
  /** Selects the calls of these operations that fail. Default: all. */
  readonly when?: (call: FileCall) => boolean
}

const CHANGES = [
  'copyfile',
  'mkdir',
  'mkdtemp',
  'rmdir',
  'unlink',
  'rename',
  'link',
  'symlink',
  'chmod',
  'chown',
  'lchown',
  'utime',
  'lutime',
] as const

const { F_OK, W_OK } = builtin('node:fs', fs).constants

/** Returns whether `access` asks for more than whether the file exists, such as whether it may be written. */
const asksFor = ({ args: [, mode] }: FileCall, rights: number): boolean =>
  typeof mode === 'number' && (mode & rights) !== F_OK

/** The system says that a folder exists before it tells that it cannot make one. */
const makesFolder = ({ operation, isThere }: FileCall): boolean => operation !== 'mkdir' || !isThere()

/** The outages, by preset name. */
export const fileOutages = {
  'fs/enospc': { code: 'ENOSPC', operations: ['write', 'copyfile', 'mkdir', 'mkdtemp'], when: makesFolder },
  'fs/eio': { code: 'EIO', operations: ['read', 'write', 'fsync', 'fdatasync', 'scandir', 'copyfile'] },
  'fs/emfile': { code: 'EMFILE', operations: ['open', 'scandir', 'copyfile'] },
  'fs/erofs': {
    code: 'EROFS',
    operations: ['open', 'access', ...CHANGES],
    when: (call) =>
      call.operation === 'open' ? call.writes : call.operation === 'access' ? asksFor(call, W_OK) : makesFolder(call),
  },
  'fs/eacces': {
    code: 'EACCES',
    operations: ['open', 'access', 'scandir', ...CHANGES],
    when: (call) => (call.operation === 'access' ? asksFor(call, ~F_OK) : makesFolder(call)),
  },
  'fs/enoent': {
    code: 'ENOENT',
    operations: ['open', 'access', 'stat', 'lstat', 'statfs', 'scandir', 'readlink', 'realpath', ...CHANGES],
  },
} satisfies Readonly<Record<keyof typeof fileSystemErrors, FileOutage>>

/** The name of a file system outage. */
export type FileOutagePreset = keyof typeof fileOutages

/** The names of all file system outages. */
export const fileOutageNames = Object.keys(fileOutages) as [FileOutagePreset, ...FileOutagePreset[]]
