import { lstatSync, unlinkSync, type BigIntStats } from 'node:fs'

/**
 * Looks at a path that may be a socket, without following links.
 *
 * The numbers are bigints for the sake of the application: the module loader of Node.js 18 to 22 takes the last plain
 * result for a socket as one of its own path, follows no symbolic link from then on, and loads packages twice that pnpm
 * has linked.
 *
 * @returns `undefined` if nothing is there.
 * @see https://github.com/nodejs/node/issues/51142
 */
export function lookAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })
}

/** Removes a file or a socket, if it is there. `rmSync` would look at it first, as {@link lookAt} must not. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
