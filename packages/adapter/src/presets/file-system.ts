import { textArgument, type FailingCall } from './failing-call.js'
import { meaningOf, systemError, type Errno } from './system-error.js'

/**
 * Errors of the file system as Node.js makes them of libuv's. A full disk and a bad one show when data is written or read, with no path;
 * a lack of descriptors and a read-only mount show when a file is opened, with its path.
 */
export const fileSystemErrors = {
  'fs/enospc': () => dataError('ENOSPC', 'write'),
  'fs/eio': () => dataError('EIO', 'read'),
  'fs/emfile': (call: FailingCall) => openError('EMFILE', call),
  'fs/erofs': (call: FailingCall) => openError('EROFS', call),
} as const

function dataError(code: Errno, syscall: string): Error {
  return systemError(code, syscall, `${code}: ${meaningOf(code)}, ${syscall}`)
}

function openError(code: Errno, { args }: FailingCall): Error {
  const path = textArgument(args)
  return path === undefined ? dataError(code, 'open') : systemError(code, 'open', `${code}: ${meaningOf(code)}, open '${path}'`, { path })
}
