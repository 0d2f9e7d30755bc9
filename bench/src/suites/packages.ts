import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, readdirSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Case, Suite } from '../runner/case.js'
import { median, shuffled } from '../runner/statistics.js'

const require = createRequire(import.meta.url)
const bench = fileURLToPath(new URL('..', import.meta.url))
/** Processes take long to start; three of these make fifteen readings. */
const MAX_ROUNDS = 5
const IMPORT = ['--input-type=module', '--eval'] as const
const NAMES = ['core', 'worker', 'eventbus', 'adapter', 'control', 'experiment', 'cli'] as const

/** Time from starting a Node.js process to its end, in ms. */
function timeOf(args: readonly string[]): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: bench, encoding: 'utf8' })
  if (status !== 0)
    throw new Error(`Expected \`node ${args.join(' ')}\` to end well, got exit code ${String(status)}.\n${stderr}`)
  return performance.now() - start
}

/** A program against bare Node.js, each twice a round. */
async function againstBareNode(
  args: readonly string[],
  rounds: number,
  combine: (ours: number, bare: number) => number,
): Promise<{ values: number[] }> {
  const values: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const spent = { ours: [] as number[], bare: [] as number[] }
    for (const side of shuffled(['ours', 'bare', 'ours', 'bare'] as const))
      spent[side].push(timeOf(side === 'ours' ? args : ['-e', '0']))
    values.push(combine(median(spent.ours), median(spent.bare)))
  }
  return Promise.resolve({ values })
}

/** How much longer than bare Node.js it takes to import one thing, in proportion to another. */
async function beyondBareNode(ours: string, theirs: string, rounds: number): Promise<{ values: number[] }> {
  const programs = { ours: [...IMPORT, ours], theirs: [...IMPORT, theirs], bare: ['-e', '0'] }
  const values: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const spent = { ours: [] as number[], theirs: [] as number[], bare: [] as number[] }
    for (const side of shuffled(Array.from({ length: 4 }, () => ['ours', 'theirs', 'bare'] as const).flat()))
      spent[side].push(timeOf(programs[side]))
    values.push((median(spent.ours) - median(spent.bare)) / (median(spent.theirs) - median(spent.bare)))
  }
  return Promise.resolve({ values })
}

/** The folder of an installed package. */
function folderOf(name: string): string {
  const folder = join(bench, 'node_modules', name)
  return realpathSync(existsSync(folder) ? folder : dirname(require.resolve(`${name}/package.json`)))
}

interface Manifest {
  readonly files?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
}

/** Bytes that an install brings: the package as published, and its dependencies, each once. Source maps are published too. */
function installedBytes(folder: string, seen = new Set<string>()): number {
  if (seen.has(folder)) return 0
  seen.add(folder)
  const { files, dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  // Inside this repository a package's folder holds more than is published.
  const own =
    folder.includes('node_modules') || files === undefined
      ? bytesBelow(folder)
      : [...files, 'package.json', 'README.md', 'LICENSE']
          .map((file) => join(folder, file))
          .filter(existsSync)
          .reduce((sum, path) => sum + bytesBelow(path), 0)
  return Object.keys(dependencies).reduce((sum, name) => {
    const found = [join(folder, 'node_modules', name), join(folder, '..', name), join(folder, '..', '..', name)].find(
      (path) => existsSync(join(path, 'package.json')),
    )
    return found === undefined ? sum : sum + installedBytes(realpathSync(found), seen)
  }, own)
}

function bytesBelow(path: string): number {
  const stats = lstatSync(path)
  if (!stats.isDirectory()) return stats.size
  return readdirSync(path)
    .filter((name) => name !== 'node_modules')
    .reduce((sum, name) => sum + bytesBelow(join(path, name)), 0)
}

const imported = (label: string, code: string, rest: Partial<Case> = {}): Case => ({
  name: `importing ${label}`,
  unit: 'ms',
  measure: (rounds) => againstBareNode([...IMPORT, code], Math.min(rounds, MAX_ROUNDS), (ours, bare) => ours - bare),
  ...rest,
})
const size = (label: string, name: string, rest: Partial<Case> = {}): Case => ({
  name: `installed size of ${label}, with its dependencies`,
  unit: 'KiB',
  processes: 1,
  measure: () => Promise.resolve({ values: [installedBytes(folderOf(name)) / 1024] }),
  ...rest,
})

/** What Lambda brings along, by an empty stand-in that is in the peer's favour: it costs nothing to load. */
const FAILURE_LAMBDA = `
  import Module, { createRequire } from 'node:module'
  const load = Module._load
  Module._load = (request, ...rest) => (request === 'aws-sdk' ? { SSM: class {} } : load(request, ...rest))
  createRequire(process.cwd() + '/')('failure-lambda')`

const peer = { isPeer: true } as const

export const packagesSuite: Suite = {
  name: 'packages',
  title: 'Importing, installing, starting',
  about:
    'Time beyond a bare `node -e 0` that importing takes, what an install brings, and how long the command takes to start beside bare Node.js.',
  cases: [
    imported('an empty ES module', "await import('data:text/javascript,')"),
    ...NAMES.map((name) => imported(`\`@chaos/${name}\``, `await import('@chaos/${name}')`)),
    imported('failure-lambda, without the `aws-sdk` that it needs', FAILURE_LAMBDA, peer),
    imported('`@flystorage/chaos`', "await import('@flystorage/chaos')", peer),
    imported('sinon', "await import('sinon')", peer),
    {
      name: 'importing `@chaos/core`, to importing the smallest peer (`@flystorage/chaos`)',
      unit: 'ratio',
      bar: { most: 1.2 },
      measure: (rounds) =>
        beyondBareNode(
          "await import('@chaos/core')",
          "await import('@flystorage/chaos')",
          Math.min(rounds, MAX_ROUNDS),
        ),
    },
    {
      name: '`chaos --version`, to bare Node.js',
      unit: 'ratio',
      bar: { most: 1.6 },
      measure: (rounds) =>
        againstBareNode(
          [join(folderOf('@chaos/cli'), 'dist', 'bin.js'), '--version'],
          Math.min(rounds, MAX_ROUNDS),
          (ours, bare) => ours / bare,
        ),
    },
    ...NAMES.map((name) => size(`\`@chaos/${name}\``, `@chaos/${name}`)),
    size('failure-lambda, without the `aws-sdk` that it needs', 'failure-lambda', peer),
    size('`@flystorage/chaos`', '@flystorage/chaos', peer),
    size('sinon', 'sinon', peer),
  ],
}
