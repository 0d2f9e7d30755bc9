import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { codeBlocks, toCommonJs } from '../src/examples.js'
import { NODE_VERSIONS, nodeProgram } from '../src/node-versions.js'
import { injectors, packageNamed, root } from '../src/repository.js'
import { run, runOrThrow } from '../src/run.js'

const tarballs = inject('tarballs')
/** The version that runs this; every supported one in the soak of versions. */
const VERSIONS = process.env['CHAOS_SOAK'] === undefined ? [process.versions.node] : NODE_VERSIONS
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
  ['cli', ['core', 'control', 'experiment']],
] as readonly (readonly [string, readonly string[]])[]

describe.each(SUBJECTS)('%s, installed from its tarball beside %j', (id, beside) => {
  let folder: string
  let example: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), `chaos-${id}-`))
    const [block] = codeBlocks(join(packageNamed(id).dir, 'README.md'), 'js')
    if (block === undefined) throw new Error(`Expected the README of ${id} to have an example in a js block.`)
    example = block
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'example', private: true }))
    const packed = [id, ...beside].map((name) => tarballs[name]?.path ?? '')
    await runOrThrow('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packed], {
      cwd: folder,
      timeoutMs: 240_000,
    })
    writeFileSync(join(folder, 'example.mjs'), example)
    writeFileSync(join(folder, 'example.cjs'), toCommonJs(example))
  }, 300_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  describe.each(VERSIONS)(
    'on Node.js %s (skipped where npm cannot fetch that version for this platform)',
    (version) => {
      it.runIf(runs(version)).each(['example.mjs', 'example.cjs'])('runs its README as %s', async (file) => {
        const program = programs.get(version)
        if (program === undefined) throw new Error(`Expected Node.js ${version} to be there.`)
        const { exitCode, stdout, stderr } = await run(program, [file], { cwd: folder, timeoutMs: 60_000 })
        expect(exitCode, stdout + stderr).toBe(0)
        expect(stdout).not.toBe('')
      })
    },
  )

  it('type-checks its README as TypeScript, under node16 and bundler resolution, and runs what is emitted', async () => {
    // Plain JavaScript has parameters without types: those of callbacks are inferred, those of its own functions are let be.
    // Declarations of valibot name `File`, which DOM has, and @types/node from 20 on.
    const relaxed = {
      noImplicitAny: false,
      noImplicitThis: false,
      strict: true,
      skipLibCheck: false,
      skipDefaultLibCheck: true,
      target: 'ES2022',
      lib: ['ES2022', 'ESNext.Disposable', 'DOM'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    }
    writeFileSync(join(folder, 'example.mts'), example)
    const check = async (name: string, module: string, moduleResolution: string): Promise<void> => {
      writeFileSync(
        join(folder, `tsconfig.${name}.json`),
        JSON.stringify({
          compilerOptions: { ...relaxed, module, moduleResolution, outDir: name },
          files: ['example.mts'],
        }),
      )
      const { exitCode, stdout, stderr } = await run(
        process.execPath,
        [join(root, 'node_modules/typescript/bin/tsc'), '-p', `tsconfig.${name}.json`],
        { cwd: folder },
      )
      expect(exitCode, stdout + stderr).toBe(0)
      const ran = await run(process.execPath, [join(name, 'example.mjs')], { cwd: folder, timeoutMs: 60_000 })
      expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0)
    }
    await Promise.all([check('node16', 'node16', 'node16'), check('bundler', 'esnext', 'bundler')])
  })
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
