import type { Errno } from '@chaos/core/authoring'
import type { FileCall } from './seam.js'
import type { FileOperation } from './places.js'
import type { fileSystemErrors } from '../errors/file-system.js'

/** An outage of the file system: what of it fails, and how. */
export interface FileOutage {
  readonly code: Errno
  /** What the real outage makes fail. */
  readonly operations: readonly [FileOperation, ...FileOperation[]]
  /** Which calls of these, where it is not all. */
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

/** The outages by the names of their presets. */
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

/** The name of an outage of files. */
export type FileOutagePreset = keyof typeof fileOutages

/** Names of all of them. */
export const fileOutageNames = Object.keys(fileOutages) as [FileOutagePreset, ...FileOutagePreset[]]
