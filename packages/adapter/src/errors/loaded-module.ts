import { createRequire } from 'node:module'
import { join, sep } from 'node:path'

const { cache } = createRequire(import.meta.url)
const found = new Map<string, unknown>()

/**
 * Returns the exports of a package file as the application has loaded it. Only an error of that copy's class passes
 * `instanceof` in the application. This never loads a package.
 *
 * @param file The package and the file in it: `pg-protocol/dist/messages.js`.
 * @returns `undefined` if the file is not loaded or is bundled into the application.
 */
export function loadedModule(file: string): unknown {
  if (found.has(file)) return found.get(file)
  const end = join(sep, 'node_modules', ...file.split('/'))
  for (const path in cache) {
    if (!path.endsWith(end)) continue
    const exported: unknown = cache[path]?.exports
    found.set(file, exported)
    return exported
  }
  return undefined
}

/** Returns a class of a package file as the application has loaded it, else the lookalike. */
export function loadedClass<Arguments extends unknown[]>(
  file: string,
  name: string,
  lookalike: ErrorClass<Arguments>,
): ErrorClass<Arguments> {
  const exported = loadedModule(file)
  const value: unknown = typeof exported === 'object' && exported !== null ? Reflect.get(exported, name) : undefined
  return typeof value === 'function' ? (value as ErrorClass<Arguments>) : lookalike
}

type ErrorClass<Arguments extends unknown[]> = new (...args: Arguments) => Error
