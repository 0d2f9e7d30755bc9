import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { blocksOf } from '../../src/page-examples.js'
import { binOf, root } from '../../src/repository.js'
import { runOrThrow } from '../../src/run.js'

const PAGE = 'docs/testing.md'
const FOLDER = join(root, 'e2e', 'test-results')

it('shows tests that pass in each runner and each framework', async () => {
  // Within e2e, so that they find what it depends on.
  mkdirSync(FOLDER, { recursive: true })
  const folder = mkdtempSync(join(FOLDER, 'page-testing-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'tsconfig.json'), '{ "compilerOptions": { "experimentalDecorators": true } }')
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  // Without a configuration of its own it would find that of this suite.
  writeFileSync(
    join(folder, 'vitest.config.mjs'),
    'export default { test: { isolate: false, fileParallelism: false } }',
  )
  const blocks = blocksOf(PAGE)
  const files = blocks.flatMap(({ file, code }) => (file === undefined ? [] : [[file, code] as const]))
  for (const [file, code] of files) writeFileSync(join(folder, file), code)

  const commands = blocks.filter(({ language, code }) => language === 'sh' && !code.startsWith('npm install'))
  const isOf = (start: string): readonly string[] =>
    commands.flatMap(({ code }) => (code.startsWith(start) ? [code.slice(start.length).trim()] : []))
  const vitest = isOf('npx vitest run ')
  const jest = isOf('npx jest ')
  const node = isOf('node --test ')
  expect([vitest.length, jest.length, node.length]).toEqual([4, 1, 1])
  expect(vitest.length + jest.length + node.length).toBe(commands.length)

  const env = { ...process.env, NODE_ENV: 'test' }
  // One process for all files of a runner: most of the time is its start.
  const { stdout } = await runOrThrow(process.execPath, [binOf('vitest'), 'run', '--root', folder, ...vitest], {
    cwd: folder,
    env,
  })
  expect(stdout).toMatch(/Test Files +4 passed/)
  const words = (jest[0] ?? '').split(' ').map((word) => word.replaceAll("'", ''))
  const { stderr } = await runOrThrow(process.execPath, [binOf('jest'), ...words], { cwd: folder, env })
  expect(stderr).toMatch(/Tests: +1 passed/)
  const { stdout: tap } = await runOrThrow(process.execPath, ['--test', ...node], { cwd: folder, env })
  expect(tap).toMatch(/^\S+ pass 1$/m)
})
