import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A dependency of an app whose package.json has a field `chaos`. */
export interface InstalledPackage {
  readonly name: string
  /** What its package.json says under `chaos`, unchecked. */
  readonly chaos: Readonly<Record<string, unknown>>
  /**
   * Loads one of its entries: synchronously if it can be required, otherwise asynchronously.
   *
   * @param subpath The entry, as in the `exports` of the package: `./register`.
   * @returns What the module exports.
   * @throws The error of loading it.
   */
  readonly load: (subpath: string) => object | Promise<object>
}

/** The dependencies of an app, as {@link installedPackages} finds them. */
export interface InstalledPackages {
  /** The package.json that names the dependencies; `undefined`: the folder and those above it have none. */
  readonly manifest: string | undefined
  /** How many dependencies it names, installed or not. */
  readonly dependencies: number
  /** Those whose package.json has a field `chaos`, in the order of the manifest. */
  readonly packages: readonly InstalledPackage[]
}

/** The largest package.json that is read, in bytes. Those of published packages have up to some 100 KB. */
const MAX_BYTES = 1_048_576
/** The most dependencies that are looked at. */
const MAX_DEPENDENCIES = 2_000

/**
 * Error codes of `require` for ES modules: before Node.js 20.19 and 22.12 all of them, since then those with top-level
 * await.
 */
const NOT_TO_BE_REQUIRED = new Set(['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE'])

/** The fields of a package.json that name dependencies. */
const DEPENDENCY_FIELDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

/**
 * Finds the packages that offer something to chaos tools: the dependencies of the app in a folder whose package.json has a
 * field `chaos`. A dependency that is not installed, does not export its package.json, or has one of more than 1 MiB is left
 * out. Nothing is loaded. At most 2,000 dependencies are looked at.
 *
 * @param folder The folder of the app, or one below it.
 * @throws Error if the package.json of the app is not JSON, or has more than 1 MiB.
 */
export function installedPackages(folder: string): InstalledPackages {
  const manifest = nearestManifest(folder)
  if (manifest === undefined) return { manifest, dependencies: 0, packages: [] }
  const app = read(manifest)
  const require = createRequire(manifest)
  const names = [...new Set(DEPENDENCY_FIELDS.flatMap((field) => Object.keys(Object(app[field]) as object)))]
  const packages = names.slice(0, MAX_DEPENDENCIES).flatMap((name): InstalledPackage[] => {
    const chaos = fieldOf(name, require)
    return isObject(chaos) ? [{ name, chaos, load: (subpath) => load(`${name}${subpath.slice(1)}`, require) }] : []
  })
  return { manifest, dependencies: names.length, packages }
}

function nearestManifest(folder: string): string | undefined {
  const file = join(folder, 'package.json')
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return file
  const above = dirname(folder)
  return above === folder ? undefined : nearestManifest(above)
}

/** The field `chaos` of a package; `undefined` if it has none, or its package.json cannot be read. */
function fieldOf(name: string, require: NodeJS.Require): unknown {
  try {
    return read(require.resolve(`${name}/package.json`))['chaos']
  } catch {
    return undefined
  }
}

function read(file: string): Readonly<Record<string, unknown>> {
  const stats = statSync(file)
  if (!stats.isFile() || stats.size > MAX_BYTES) throw new Error(`${file} is not a file of at most ${MAX_BYTES} bytes.`)
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`, { cause: error })
  }
  if (!isObject(content)) throw new Error(`${file} does not hold an object.`)
  return content
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function load(specifier: string, require: NodeJS.Require): object | Promise<object> {
  try {
    return require(specifier) as object
  } catch (error) {
    if (!NOT_TO_BE_REQUIRED.has((error as NodeJS.ErrnoException | null | undefined)?.code ?? '')) throw error
    return import(pathToFileURL(require.resolve(specifier)).href) as Promise<object>
  }
}
