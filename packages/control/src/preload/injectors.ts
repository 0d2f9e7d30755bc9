import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Targets } from '@chaos/core'
import type { FaultFactoryFor } from '@chaos/core/authoring'

/** The targets and faults that an injector offers in an app without chaos code. */
export interface Offer {
  readonly targets: Targets
  /** Faults that are offered on every target that accepts them, whichever injector registers the target. */
  readonly faults: readonly FaultFactoryFor<object>[]
}

/** A package that registers targets in an app without chaos code. */
export interface Injector {
  readonly name: string
  /**
   * Loads the package and calls its `targets()`: synchronously if it can be required, otherwise asynchronously.
   *
   * @throws The error of loading the package or of `targets()`.
   */
  readonly load: () => Offer | Promise<Offer>
}

/**
 * Error codes of `require` for ES modules: before Node.js 20.19 and 22.12 all of them, since then those with top-level
 * await.
 */
const NOT_TO_BE_REQUIRED = new Set(['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE'])

interface Manifest {
  readonly chaos?: { readonly register?: unknown }
  readonly dependencies?: object
  readonly devDependencies?: object
  readonly optionalDependencies?: object
  readonly peerDependencies?: object
}

/** The injectors among an app's dependencies: packages with `"chaos": { "register": "./register" }` in package.json. */
export function injectorsOf(folder: string): readonly Injector[] {
  const file = nearestManifest(folder)
  if (file === undefined) return []
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = read(file)
  const require = createRequire(file)
  return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies }).flatMap(
    (name): Injector[] => {
      const subpath = manifestOf(name, require)?.chaos?.register
      return typeof subpath === 'string' && subpath.startsWith('./')
        ? [{ name, load: () => offerOf(`${name}${subpath.slice(1)}`, require) }]
        : []
    },
  )
}

function offerOf(specifier: string, require: NodeJS.Require): Offer | Promise<Offer> {
  let module: unknown
  try {
    module = require(specifier)
  } catch (error) {
    if (!NOT_TO_BE_REQUIRED.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    return import(pathToFileURL(require.resolve(specifier)).href).then((late) => called(late, specifier))
  }
  return called(module, specifier)
}

function called(module: unknown, specifier: string): Offer | Promise<Offer> {
  const { targets, faults = [] } = module as { readonly targets?: unknown; readonly faults?: Offer['faults'] }
  if (typeof targets !== 'function')
    throw new TypeError(`${specifier} must export a function \`targets\`, but exports ${typeof targets}.`)
  const offered = (targets as () => Targets | Promise<Targets>)()
  return offered instanceof Promise ? offered.then((late) => ({ targets: late, faults })) : { targets: offered, faults }
}

function nearestManifest(folder: string): string | undefined {
  const file = join(folder, 'package.json')
  try {
    readFileSync(file)
    return file
  } catch {
    const above = dirname(folder)
    return above === folder ? undefined : nearestManifest(above)
  }
}

/** The manifest of a package; `undefined` if it is not installed or does not export its package.json. */
function manifestOf(name: string, require: NodeJS.Require): Manifest | undefined {
  try {
    return read(require.resolve(`${name}/package.json`))
  } catch {
    return undefined
  }
}

const read = (file: string): Manifest => JSON.parse(readFileSync(file, 'utf8')) as Manifest
