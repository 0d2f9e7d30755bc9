import { execFileSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { packageNamed, packages, readJson, root, type Manifest } from '../src/repository.js'

const tarballs = inject('tarballs')
/** Peers that are tried as what another package brings along. */
const BROUGHT_BY: Readonly<Record<string, string>> = {
  'abstract-level': 'level',
  '@nats-io/nats-core': '@nats-io/transport-node',
}

/** The version of a peer with which a package's suites of lowest versions run. */
function lowestTried(dir: string, peer: string): string {
  const installed = BROUGHT_BY[peer] ?? peer
  const folder = realpathSync(join(dir, 'node_modules', `${installed}-lowest`))
  const beside = join(folder, ...installed.split('/').map(() => '..'))
  return (readJson(join(beside, peer, 'package.json')) as Manifest).version
}

describe.each(packages.map(({ id }) => id))('the tarball of packages/%s', (id) => {
  const { path, files } = tarballs[id] ?? { path: '', files: [] }
  const source = packageNamed(id)
  let manifest: Manifest

  beforeAll(() => {
    manifest = JSON.parse(
      execFileSync('tar', ['-xzOf', path, 'package/package.json'], { encoding: 'utf8' }),
    ) as Manifest
  })

  it('holds what was built, its README, its licence, and nothing else', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'dist/index.js',
        'dist/index.cjs',
        'dist/index.d.ts',
        'dist/index.d.cts',
      ]),
    )
    const outside = files.filter(
      (file) =>
        !file.startsWith('dist/') &&
        !['package.json', 'README.md', 'LICENSE', ...(manifest.files ?? [])].includes(file),
    )
    expect(outside).toEqual([])
    expect(files.filter((file) => /\.(test|test-d|bench)\./.test(file))).toEqual([])
  })

  it('carries the licence of the repository', () => {
    expect(readFileSync(join(source.dir, 'LICENSE'), 'utf8')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'))
  })

  it('has every file that its manifest points to', () => {
    const targets = [...pathsIn(manifest.exports), ...Object.values(manifest.bin ?? {})].map((target) =>
      target.replace(/^\.\//, ''),
    )
    expect(targets.length).toBeGreaterThan(4)
    expect(targets.filter((target) => !files.includes(target))).toEqual([])
  })

  it('says what it is, where it comes from and where it runs', () => {
    expect(manifest).toMatchObject({
      name: `@chaos/${id}`,
      license: 'MIT',
      type: 'module',
      sideEffects: expect.toSatisfy(
        (value: unknown) => value === false || Array.isArray(value),
        'false, or a list of the files that have effects',
      ) as unknown,
      engines: { node: '>=18' },
      // npm compares the address with the repository that provenance is signed for.
      repository: {
        type: 'git',
        url: 'git+https://github.com/chaos-harness/chaos-harness.git',
        directory: `packages/${id}`,
      },
      publishConfig: { access: 'public', provenance: true },
    })
    expect(manifest.private).not.toBe(true)
    expect(manifest.description).toMatch(/\.$/)
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'CHANGELOG.md']))
  })

  it('exports ESM and CommonJS with types of their own, and its package.json', () => {
    const { './package.json': self, ...entries } = manifest.exports ?? {}
    expect(self).toBe('./package.json')
    expect(entries['.']).toEqual({
      import: { types: './dist/index.d.ts', default: './dist/index.js' },
      require: { types: './dist/index.d.cts', default: './dist/index.cjs' },
    })
  })

  it('depends on its siblings by a range that npm understands', () => {
    const ranges = { ...manifest.dependencies, ...manifest.peerDependencies }
    for (const [name, range] of Object.entries(ranges)) {
      expect(range, name).not.toMatch(/^(workspace|link|file):/)
      if (name.startsWith('@chaos/'))
        expect(range, name).toBe(`^${packageNamed(name.slice('@chaos/'.length)).manifest.version}`)
    }
    if (id !== 'core') expect(manifest.dependencies).toHaveProperty(['@chaos/core'])
  })

  it('has tried the lowest version of every peer that its ranges name', () => {
    const peers = Object.entries(manifest.peerDependencies ?? {}).filter(([name]) => !name.startsWith('@chaos/'))
    for (const [name, range] of peers) expect(range.split(' ')[0], name).toBe(`^${lowestTried(source.dir, name)}`)
  })

  it('passes publint, warnings and suggestions included', async () => {
    const tarball = readFileSync(path)
    const { messages, pkg } = await publint({
      strict: true,
      pack: { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength) },
    })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })
})

/** Every path in an exports map, whatever the conditions around it. */
function pathsIn(exports: unknown): readonly string[] {
  if (typeof exports === 'string') return [exports]
  if (typeof exports !== 'object' || exports === null) return []
  return Object.values(exports).flatMap(pathsIn)
}

describe('what a team installs', () => {
  const KIB = 1_024
  /** Bytes of all files of a tarball, as they are installed. */
  const sizeOf = (id: string): number =>
    execFileSync('tar', ['-tvzf', tarballs[id]?.path ?? ''], { encoding: 'utf8' })
      .split('\n')
      .reduce((sum, line) => sum + Number(/\s(\d+)\s\d{4}-/.exec(line)?.[1] ?? 0), 0)

  it('is at most 560 KiB for core, which brings no other package and shows none in its types', () => {
    expect(sizeOf('core')).toBeGreaterThan(100 * KIB)
    expect(sizeOf('core')).toBeLessThanOrEqual(560 * KIB)
    const { manifest, dir } = packageNamed('core')
    expect(manifest).not.toHaveProperty('dependencies')
    for (const file of tarballs['core']?.files.filter((name) => name.endsWith('.d.ts')) ?? [])
      expect(readFileSync(join(dir, file), 'utf8')).not.toMatch(/valibot|@standard-schema\/spec/)
  })

  it.each([
    ['worker', 0.9],
    ['eventbus', 1.2],
    ['adapter', 1.6],
  ])('is, for @chaos/%s with core, at most %f MiB', (id, mib) => {
    expect(sizeOf(id) + sizeOf('core')).toBeLessThanOrEqual(mib * KIB * KIB)
  })
})
