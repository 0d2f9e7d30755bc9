import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { codeBlocks, toCommonJs } from '../src/examples.js'
import { NODE_VERSIONS, nodeProgram } from '../src/node-versions.js'
import { injectors, packageNamed, root, type Manifest } from '../src/repository.js'
import { run, runOrThrow } from '../src/run.js'

const tarballs = inject('tarballs')
const isSoak = process.env['CHAOS_SOAK'] !== undefined
/** The version that runs this; every supported one in the soak of versions. */
const VERSIONS = isSoak ? NODE_VERSIONS : [process.versions.node]
const programs = new Map(
  await Promise.all(VERSIONS.map(async (version) => [version, await nodeProgram(version)] as const)),
)
const isRequired = process.env['CHAOS_REQUIRE_SERVICES'] === 'all'
const runs = (version: string): boolean => programs.get(version) !== undefined || isRequired

/** Packages, and what is installed beside them: each injector with core alone. */
const SUBJECTS = [
  ['core', []],
  ...injectors.map(({ id }) => [id, ['core']] as const),
  ['control', ['core']],
  ['experiment', ['core']],
  ['test', ['core', 'adapter']],
  ['cli', ['core', 'control', 'experiment']],
  ['mcp', ['core', 'control', 'experiment']],
  ['fleet', ['core']],
] as readonly (readonly [string, readonly string[]])[]

/** Whose READMEs are type-checked: what a tool of a Model Context Protocol answers is unknown to TypeScript. */
const TYPED = SUBJECTS.filter(([id]) => id !== 'mcp')

/** How modules are resolved: as Node.js does; in the soak also as a bundler does. */
const RESOLUTIONS = [['node16', 'node16'], ...(isSoak ? [['esnext', 'bundler'] as const] : [])] as const

/** The compiler as it is; in the whole soak also the one before it, as many still have it. */
const COMPILERS = ['typescript-native', ...(process.env['CHAOS_SOAK'] === 'whole' ? ['typescript'] : [])]

async function install(own: string, ids: readonly string[]): Promise<void> {
  const packed = ids.map((id) => tarballs[id]?.path ?? '')
  await runOrThrow('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packed], {
    cwd: own,
    timeoutMs: 240_000,
  })
}

/** Puts each tarball and its commands where npm puts them, and beside it the dependencies that it names: npm takes ten times as long. */
async function unpack(own: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { dir, manifest } = packageNamed(id)
    const place = (name: string): string => join(own, 'node_modules', ...name.split('/'))
    mkdirSync(place(manifest.name), { recursive: true })
    await runOrThrow('tar', ['-xzf', tarballs[id]?.path ?? '', '--strip-components=1'], { cwd: place(manifest.name) })
    const unpacked = JSON.parse(readFileSync(join(place(manifest.name), 'package.json'), 'utf8')) as Manifest
    for (const [name, file] of Object.entries(unpacked.bin ?? {})) {
      const command = join(own, 'node_modules', '.bin', name)
      mkdirSync(dirname(command), { recursive: true })
      symlinkSync(join(place(manifest.name), file), command)
      chmodSync(command, 0o755)
    }
    for (const name of Object.keys(unpacked.dependencies ?? {})) {
      if (name.startsWith('@chaos/') || existsSync(place(name))) continue
      mkdirSync(dirname(place(name)), { recursive: true })
      symlinkSync(realpathSync(join(dir, 'node_modules', ...name.split('/'))), place(name), 'junction')
    }
  }
}

let folder: string
const folderOf = (id: string): string => join(folder, id)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chaos-packed-'))
  for (const [id, beside] of SUBJECTS) {
    const [example] = codeBlocks(join(packageNamed(id).dir, 'README.md'), 'js')
    if (example === undefined) throw new Error(`Expected the README of ${id} to have an example in a js block.`)
    const own = folderOf(id)
    mkdirSync(own)
    writeFileSync(join(own, 'package.json'), JSON.stringify({ name: 'example', private: true }))
    await (isSoak ? install : unpack)(own, [id, ...beside])
    writeFileSync(join(own, 'example.mjs'), example)
    writeFileSync(join(own, 'example.cjs'), toCommonJs(example))
    writeFileSync(join(own, 'typed.mts'), example)
  }
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each(SUBJECTS)('%s, installed from its tarball beside %j', (id) => {
  describe.each(VERSIONS)(
    'on Node.js %s (skipped where npm cannot fetch that version for this platform)',
    (version) => {
      it.runIf(runs(version)).each(['example.mjs', 'example.cjs'])('runs its README as %s', async (file) => {
        const program = programs.get(version)
        if (program === undefined) throw new Error(`Expected Node.js ${version} to be there.`)
        const { exitCode, stdout, stderr } = await run(program, [file], {
          cwd: folderOf(id),
          timeoutMs: 60_000,
          env: {
            ...process.env,
            // What the example starts runs on that version too, and meets no process of others.
            PATH: `${dirname(program)}${delimiter}${process.env['PATH'] ?? ''}`,
            CHAOS_SOCKET_DIR: join(folderOf(id), 'sockets'),
          },
        })
        expect(exitCode, stdout + stderr).toBe(0)
        expect(stdout).not.toBe('')
      })
    },
  )
})

describe.each(COMPILERS)('the READMEs of all of them, by %s', (compiler) => {
  // One program for all, each of which finds what is installed in its own folder.
  it.each(RESOLUTIONS)(
    'type-check as modules of %s under %s resolution, and run as emitted',
    async (module, moduleResolution) => {
      // Plain JavaScript has parameters without types: those of callbacks are inferred, those of its own functions are let be.
      // Declarations of valibot name `File`, which DOM has, and @types/node from 20 on.
      const compilerOptions = {
        noImplicitAny: false,
        noImplicitThis: false,
        strict: true,
        skipLibCheck: false,
        skipDefaultLibCheck: true,
        target: 'ES2022',
        lib: ['ES2022', 'ESNext.Disposable', 'DOM'],
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
        module,
        moduleResolution,
      }
      const project = join(folder, 'tsconfig.json')
      writeFileSync(project, JSON.stringify({ compilerOptions, files: TYPED.map(([id]) => `${id}/typed.mts`) }))
      for (const [id] of TYPED) rmSync(join(folderOf(id), 'typed.mjs'), { force: true })
      const tsc = join(root, 'node_modules', compiler, 'bin/tsc')
      const { exitCode, stdout, stderr } = await run(process.execPath, [tsc, '-p', project], { cwd: folder })
      expect(exitCode, stdout + stderr).toBe(0)
      for (const [id] of TYPED) {
        const ran = await run(process.execPath, ['typed.mjs'], { cwd: folderOf(id), timeoutMs: 60_000 })
        expect(ran.exitCode, `${id}: ${ran.stdout}${ran.stderr}`).toBe(0)
      }
    },
  )
})

describe('the examples of the root README', () => {
  it.each(codeBlocks(join(root, 'README.md'), 'js').map((code, index) => [index + 1, code] as const))(
    'number %i runs',
    async (_number, code) => {
      const { exitCode, stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', code], {
        cwd: join(root, 'e2e'),
        timeoutMs: 60_000,
      })
      expect(exitCode, stdout + stderr).toBe(0)
    },
  )
})
