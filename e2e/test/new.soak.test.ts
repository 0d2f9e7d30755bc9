import { readFileSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { codeBlocks } from '../src/examples.js'
import { root } from '../src/repository.js'
import { run, runOrThrow } from '../src/run.js'
import { copyOfRepository, installDouble, packageOf, SKELETONS } from '../src/skeletons.js'

const copy = copyOfRepository()
afterAll(copy.remove)

/** One fault and one package for a minute; every kind in the whole soak. */
const TRIED =
  process.env['CHAOS_SOAK'] === 'whole'
    ? SKELETONS
    : SKELETONS.filter(([asked]) => /^(fault eventbus|injector)/.test(asked))
const program = (name: string): string => join(root, 'node_modules', name)

describe('skeletons, as they are written', () => {
  it('are registered', async () => {
    for (const [asked] of TRIED)
      expect(await copy.script('new', ...asked.split(' '), '--no-sync')).toMatchObject({ exitCode: 0 })
    for (const name of ['some-broker', 'some-store']) installDouble(copy, name)
    symlinkSync(join(root, 'packages/worker/node_modules'), copy.at('packages/jobs/node_modules'))
    expect(await copy.script('sync')).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it.each(TRIED)('pass their suites: %s', async (_asked, files) => {
    const tests = files.filter((path) => path.endsWith('.test.ts'))
    const id = packageOf(tests[0] ?? '') ?? ''
    const folder = copy.at(`packages/${id}`)
    const own = tests.map((path) => path.slice(`packages/${id}/`.length))
    const { exitCode, stdout, stderr } = await run(
      process.execPath,
      [program('vitest/vitest.mjs'), 'run', ...own, `src/${id === 'adapter' ? 'exports' : 'index'}.test.ts`],
      { cwd: folder, timeoutMs: 600_000 },
    )
    expect(exitCode, stdout + stderr).toBe(0)
  })

  it.each(TRIED.filter(([, files]) => files.some((path) => path.startsWith('docs/'))))(
    'have a page whose example prints what it says: %s',
    async (_asked, files) => {
      const id = packageOf(files.find((path) => path.startsWith('packages/')) ?? '') ?? ''
      const folder = copy.at(`packages/${id}`)
      await runOrThrow(process.execPath, [program('tsup/dist/cli-default.js'), '--no-dts'], {
        cwd: folder,
        timeoutMs: 600_000,
      })
      const page = copy.at(files.find((path) => path.startsWith('docs/')) ?? '')
      const [example = ''] = codeBlocks(page, 'js')
      const [output] = /```text\n([^]*?)```/.exec(readFileSync(page, 'utf8'))?.slice(1) ?? []
      const ran = await run(process.execPath, ['--input-type=module', '--eval', example], { cwd: folder })
      expect(ran.stdout, `${basename(page)}: ${ran.stderr}`).toBe(output)
    },
  )
})
