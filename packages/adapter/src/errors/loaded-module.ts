import { createRequire } from 'node:module'
import { join, sep } from 'node:path'

const { cache } = createRequire(import.meta.url)
const found = new Map<string, unknown>()

/**
 * What a file of a package exports, as the application itself has loaded it: only an error of that very copy's class passes the
 * application's own `instanceof`. Nothing is ever loaded for it.
 *
 * @param file The package and the file in it: `pg-protocol/dist/messages.js`
 * @returns `undefined` when it is not loaded, or is bundled into the application
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

/** A class that a file of a package exports, as the application has loaded it, else one that looks the same. */
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
