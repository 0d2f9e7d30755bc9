import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

/** A folder of tests, as a user has it: this package is installed in it, and one runner. */
export interface Project {
  readonly folder: string
  /** Runs a program of the project with Node.js. Never rejects. */
  readonly run: (program: string, args: readonly string[]) => Promise<Ran>
}

interface Ran {
  readonly exitCode: number | null
  /** What it printed, on both streams, without times and paths of the machine. */
  readonly output: string
}

/**
 * Makes a project of one of the folders in `fixtures`, for the current test.
 *
 * @param runner The name of the runner's package.
 * @param installed The dependency of this package that is installed as the runner. With `CHAOS_PEERS=lowest`, the default is its lowest
 *   version, else a recent one.
 */
export function projectOf(fixture: string, runner?: string, installed?: string): Project {
  mkdirSync(join(PACKAGE, 'test-results'), { recursive: true })
  const root = realpathSync(mkdtempSync(join(PACKAGE, 'test-results', `${fixture}-`)))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, fixture)
  cpSync(join(PACKAGE, 'test', 'fixtures', fixture), folder, { recursive: true })
  cpSync(join(PACKAGE, 'test', 'fixtures', 'store.cjs'), join(root, 'store.cjs'))
  // Otherwise it is a part of this package, and finds it by itself.
  writeFileSync(join(root, 'package.json'), '{ "private": true }')
  const modules = join(root, 'node_modules')
  // A copy, so that it finds the runner of this project.
  const own = join(modules, '@chaos', 'test')
  mkdirSync(own, { recursive: true })
  cpSync(join(PACKAGE, 'dist'), join(own, 'dist'), { recursive: true })
  cpSync(join(PACKAGE, 'package.json'), join(own, 'package.json'))
  for (const name of ['@chaos/core', '@chaos/adapter']) link(folderOf(name), join(modules, name))
  if (runner !== undefined) link(folderOf(installed ?? usual(runner)), join(modules, runner))
  return { folder, run: (program, args) => run(folder, program, args) }
}

const usual = (runner: string): string => (process.env['CHAOS_PEERS'] === 'lowest' ? `${runner}-lowest` : runner)

/** The folder of a package that this one depends on. */
function folderOf(name: string): string {
  const paths = require.resolve.paths(name) ?? []
  const found = paths.map((path) => join(path, name)).find((path) => isFolder(path))
  if (found === undefined) throw new Error(`Expected ${name} to be installed.`)
  return realpathSync(found)
}

function isFolder(path: string): boolean {
  try {
    return realpathSync(path) !== ''
  } catch {
    return false
  }
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path, 'junction')
}

function run(folder: string, program: string, args: readonly string[]): Promise<Ran> {
  // Without those of the runner of this suite.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|JEST|NODE_TEST|TEST$|DEV$|PROD$|MODE$)/.test(name),
  )
  const env = { ...Object.fromEntries(inherited), NO_COLOR: '1', CHAOS_SEED: '7', NODE_ENV: 'test' }
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, output: output.replaceAll(folder, '.') }))
  })
}
