import { meaningOf, systemError, type Errno } from '@chaos/core/authoring'
import { textArgument, type FailingCall } from './failing-call.js'

/**
 * File system errors, as Node.js makes them from those of libuv. A full or bad disk fails reads or writes, without a
 * path in the error. Missing descriptors, a read-only mount, missing rights and a missing file fail the opening of a
 * file, with its path.
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
 * Makes the error of a file operation, with the keys in the order of Node.js (src/api/exceptions.cc: `UVException`).
 *
 * @param paths None for an operation on a descriptor; two for an operation with a source and a destination.
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
