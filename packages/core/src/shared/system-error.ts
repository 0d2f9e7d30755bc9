import { getSystemErrorMap } from 'node:util'
import { constants } from 'node:os'

/** A name of `os.constants.errno`. */
export type Errno = keyof typeof constants.errno

/**
 * Makes a system error with the keys of Node.js' own, in their order (lib/internal/errors.js: `ErrnoException`,
 * `ExceptionWithHostPort`).
 *
 * @param message The message. Default: the syscall and the code, `connect ECONNREFUSED`.
 * @param details The keys after `errno`, `code` and `syscall`.
 */
export function systemError(
  code: Errno,
  syscall: string,
  message = `${syscall} ${code}`,
  details: Readonly<Record<string, unknown>> = {},
): Error {
  return Object.assign(new Error(message), { errno: -constants.errno[code], code, syscall, ...details })
}

/** The description of an error code by libuv: `no space left on device`. */
export function meaningOf(code: Errno): string {
  return getSystemErrorMap().get(-constants.errno[code])?.[1] ?? code
}
