import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '')

/** What these suites read of a package.json. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly description?: string
  readonly license?: string
  readonly type?: string
  readonly sideEffects?: unknown
  readonly files?: readonly string[]
  readonly bin?: Readonly<Record<string, string>>
  readonly engines?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, unknown>>
  readonly repository?: { readonly type: string; readonly url: string; readonly directory?: string }
  readonly publishConfig?: { readonly access?: string; readonly provenance?: boolean }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** A package of this repository. */
export interface Package {
  /** Name of its folder, and of its npm package behind the scope. */
  readonly id: string
  /** Absolute path of its folder. */
  readonly dir: string
  readonly manifest: Manifest
}

/** What is installed by everyone, and what stands right of the injectors: neither breaks anything itself. */
const FRAME = ['core', 'control', 'experiment', 'test', 'cli', 'mcp', 'fleet'] as const

/** The published packages. */
export const packages: readonly Package[] = readdirSync(join(root, 'packages'))
  .map((id) => ({ id, dir: join(root, 'packages', id) }))
  .filter(({ dir }) => existsSync(join(dir, 'package.json')))
  .map(({ id, dir }) => ({ id, dir, manifest: readJson(join(dir, 'package.json')) as Manifest }))

/** Every package with sources, by the path of its folder: the published ones, the apps, and those of the repository itself. */
export const workspaces: readonly string[] = repositoryFiles('package.json', '*/package.json', '*/*/package.json')
  .map((file) => posix.dirname(file))
  .filter((folder) => folder !== '.' && existsSync(join(root, folder, 'src')))

/** The packages that know one kind of target. */
export const injectors: readonly Package[] = packages.filter(({ id }) => !(FRAME as readonly string[]).includes(id))

/** @throws Error when there is no such package. */
export function packageNamed(id: string): Package {
  const found = packages.find((candidate) => candidate.id === id)
  if (found === undefined) throw new Error(`Expected a package in packages/, got \`${id}\`.`)
  return found
}

/** The program of a package that `e2e` or the repository depends on. */
export function binOf(name: string, command = name): string {
  const manifest = createRequire(join(root, 'e2e', 'package.json')).resolve(`${name}/package.json`)
  const { bin } = readJson(manifest) as { readonly bin: string | Readonly<Record<string, string>> }
  return join(dirname(manifest), typeof bin === 'string' ? bin : (bin[command] ?? ''))
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** Files of the checkout that are tracked, or new and not ignored, relative to the root; those deleted on disk are left out. */
export function repositoryFiles(...patterns: readonly string[]): readonly string[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...patterns],
    { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 },
  )
  return [...new Set(listed.split('\0'))].filter((file) => file !== '' && existsSync(join(root, file)))
}

/** Source files of a package, relative to the root, without its tests. */
export function sourceFiles({ id }: Package): readonly string[] {
  return repositoryFiles(`packages/${id}/src`).filter(isSource)
}

/** Whether a file is TypeScript that is built, and no test. */
export function isSource(file: string): boolean {
  return file.endsWith('.ts') && !/\.(test|test-d|bench)\.ts$/.test(file)
}
