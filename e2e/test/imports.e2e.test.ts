import { join, posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isSource, packages, readJson, repositoryFiles, root, workspaces, type Manifest } from '../src/repository.js'
import { importsOf as readImports } from '../src/imports.js'

const files = repositoryFiles('*.ts')
const sourcesIn = (workspace: string): readonly string[] =>
  files.filter((file) => file.startsWith(`${workspace}/src/`) && isSource(file))

/** Each file is read once: this runs on every change. */
const imported = new Map<string, readonly string[]>()
function importsOf(file: string): readonly string[] {
  const names = imported.get(file) ?? readImports(file)
  imported.set(file, names)
  return names
}

/** The packages of this repository that a file imports. */
const packagesIn = (file: string): readonly string[] =>
  importsOf(file).flatMap((name) => /^@chaos\/[\w-]+/.exec(name)?.[0] ?? [])

/** Programs use peers that are optional. What applications import does not. */
const PEERS_OF_PROGRAMS: readonly (readonly [string, readonly string[]])[] = [
  ['packages/fleet/src/bin/', ['@chaos/experiment']],
  ['packages/test/src/bin/', ['@chaos/control', '@chaos/experiment']],
]
const isPeerOfProgram = (file: string, name: string): boolean =>
  PEERS_OF_PROGRAMS.some(([folder, peers]) => file.startsWith(folder) && peers.includes(name))

describe('imports between packages', () => {
  /** What stands above a package. Of an injector that is core alone: not another injector, and nothing right of it. */
  const allowed: Readonly<Record<string, readonly string[]>> = {
    core: [],
    cli: ['@chaos/core', '@chaos/control', '@chaos/experiment', '@chaos/cli'],
    mcp: ['@chaos/core', '@chaos/control', '@chaos/experiment', '@chaos/mcp'],
  }
  it.each(packages.map(({ id }) => id))('of @chaos/%s point up only', (id) => {
    const above = allowed[id] ?? ['@chaos/core']
    const wrong = sourcesIn(`packages/${id}`).flatMap((file) =>
      packagesIn(file)
        .filter((name) => !above.includes(name) && !isPeerOfProgram(file, name))
        .map((name) => `${file}: ${name}`),
    )
    expect(wrong).toEqual([])
  })

  it('leave one file of the app that knows chaos', () => {
    const published = packages.map(({ manifest }) => manifest.name)
    const knowing = sourcesIn('apps/flappyjournal').filter((file) =>
      packagesIn(file).some((name) => published.includes(name)),
    )
    expect(knowing).toEqual(['apps/flappyjournal/src/chaos.ts'])
  })
})

describe('imports between the folders of a package', () => {
  it.each(workspaces)('go in one direction in %s', (workspace) => {
    expect(circlesIn(workspace)).toEqual([])
  })
})

/** The imports that close a circle between folders, as `from -> to (file)`, one for each pair of folders. */
function circlesIn(workspace: string): readonly string[] {
  const source = `${workspace}/src/`
  const entries = entriesOf(readJson(join(root, workspace, 'package.json')) as Manifest)
  const folderOf = (file: string): string => {
    const inside = file.slice(source.length)
    const [first = '', ...rest] = inside.split('/')
    if (rest.length > 0) return `${first}/`
    // An entry stands above everything, and a folder that imports it makes a circle. Other files beside it count as one folder.
    return entries.has(inside) ? inside : '.'
  }
  const edges = new Map<string, Map<string, string>>()
  for (const file of sourcesIn(workspace)) {
    const from = folderOf(file)
    for (const name of importsOf(file)) {
      if (!name.startsWith('.')) continue
      const target = posix.join(posix.dirname(file), name).replace(/\.js$/, '.ts')
      if (!target.startsWith(source)) continue
      const to = folderOf(target)
      const known = edges.get(from) ?? new Map<string, string>()
      edges.set(from, known)
      if (to !== from && !known.has(to)) known.set(to, file)
    }
  }
  const reaches = (from: string, wanted: string, seen = new Set<string>()): boolean =>
    [...(edges.get(from)?.keys() ?? [])].some(
      (to) => to === wanted || (!seen.has(to) && reaches(to, wanted, seen.add(to))),
    )
  return [...edges].flatMap(([from, targets]) =>
    [...targets].filter(([to]) => reaches(to, from)).map(([to, file]) => `${from} -> ${to} (${file})`),
  )
}

/** The files directly in `src` that a package publishes: as exports, or as commands. */
function entriesOf({ exports = {}, bin = {} }: Manifest): ReadonlySet<string> {
  const built = JSON.stringify([exports, bin]).matchAll(/"\.\/dist\/([\w-]+)\.c?js"/g)
  return new Set(['index.ts', ...[...built].map(([, name = '']) => `${name}.ts`)])
}
