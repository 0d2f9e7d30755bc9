import { meaningOf, systemError, type Errno } from '@chaos/core/authoring'
import { textArgument, type FailingCall } from './failing-call.js'

/**
 * Errors of the file system as Node.js makes them of libuv's. A full disk and a bad one show when data is written or read, with no path;
 * a lack of descriptors, a read-only mount, missing rights and a missing file show when a file is opened, with its path.
 */
export const fileSystemErrors = {
  'fs/enospc': () => fileError('ENOSPC', 'write'),
  'fs/eio': () => fileError('EIO', 'read'),
  'fs/emfile': (call: FailingCall) => openError('EMFILE', call),
  'fs/erofs': (call: FailingCall) => openError('EROFS', call),
  'fs/eacces': (call: FailingCall) => openError('EACCES', call),
  'fs/enoent': (call: FailingCall) => openError('ENOENT', call),
} as const

/**
 * An error of an operation on files (src/api/exceptions.cc: `UVException`), keys and their order included.
 *
 * @param paths None for what works on a descriptor; two for what has a source and a destination
 */
export function fileError(code: Errno, syscall: string, [path, dest]: readonly string[] = []): Error {
  const where = [path === undefined ? '' : ` '${path}'`, dest === undefined ? '' : ` -> '${dest}'`].join('')
  return systemError(code, syscall, `${code}: ${meaningOf(code)}, ${syscall}${where}`, {
    ...(path === undefined ? {} : { path }),
    ...(dest === undefined ? {} : { dest }),
  })
}

function openError(code: Errno, { args }: FailingCall): Error {
  const path = textArgument(args)
  return fileError(code, 'open', path === undefined ? [] : [path])
}
