import type { Errno } from '@chaos/core/authoring'
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

/** The outages, by preset name. */
export const fileOutages = {
  'fs/enospc': { code: 'ENOSPC', operations: ['write', 'copyfile', 'mkdir', 'mkdtemp'] },
  'fs/eio': { code: 'EIO', operations: ['read', 'write', 'fsync', 'fdatasync', 'scandir', 'copyfile'] },
  'fs/emfile': { code: 'EMFILE', operations: ['open', 'scandir', 'copyfile'] },
  'fs/erofs': {
    code: 'EROFS',
    operations: ['open', ...CHANGES],
    when: ({ operation, writes }) => operation !== 'open' || writes,
  },
  'fs/eacces': { code: 'EACCES', operations: ['open', 'access', 'scandir', ...CHANGES] },
  'fs/enoent': {
    code: 'ENOENT',
    operations: ['open', 'access', 'stat', 'lstat', 'statfs', 'scandir', 'readlink', 'realpath', ...CHANGES],
  },
} satisfies Readonly<Record<keyof typeof fileSystemErrors, FileOutage>>

/** The name of a file system outage. */
export type FileOutagePreset = keyof typeof fileOutages

/** The names of all file system outages. */
export const fileOutageNames = Object.keys(fileOutages) as [FileOutagePreset, ...FileOutagePreset[]]
