import { getSystemErrorMap } from 'node:util'
import { constants } from 'node:os'

/** A name of `os.constants.errno`. */
export type Errno = keyof typeof constants.errno

/**
 * An error of the kernel as Node.js makes it (lib/internal/errors.js: `ErrnoException`, `ExceptionWithHostPort`): keys and their order included.
 *
 * @param message What stands behind the syscall in the message. Default: the code alone.
 * @param details Keys behind `errno`, `code` and `syscall`
 */
export function systemError(
  code: Errno,
  syscall: string,
  message = `${syscall} ${code}`,
  details: Readonly<Record<string, unknown>> = {},
): Error {
  return Object.assign(new Error(message), { errno: -constants.errno[code], code, syscall, ...details })
}

/** What libuv says of an error: `no space left on device`. */
export function meaningOf(code: Errno): string {
  return getSystemErrorMap().get(-constants.errno[code])?.[1] ?? code
}
