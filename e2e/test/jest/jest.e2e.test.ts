import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { binOf } from '../../src/repository.js'
import { runOrThrow } from '../../src/run.js'

const FOLDER = dirname(fileURLToPath(import.meta.url))

it.each([
  ['CommonJS', 'commonjs.jest.cjs', 9],
  ['ES modules', 'modules.jest.mjs', 8],
  ['mocked modules of Node.js', 'mocked-modules.jest.cjs', 4],
])('keeps the faults whole in the sandbox of Jest: %s', async (_, file, tests) => {
  const config = {
    rootDir: FOLDER,
    testMatch: [`**/${file}`],
    transform: {},
    moduleFileExtensions: ['js', 'cjs', 'mjs'],
  }
  const { stderr } = await runOrThrow(
    process.execPath,
    ['--experimental-vm-modules', binOf('jest'), '--config', JSON.stringify(config), '--runInBand'],
    { cwd: FOLDER, env: { ...process.env, NODE_ENV: 'test' } },
  )
  expect(stderr).toMatch(new RegExp(`Tests: +${String(tests)} passed, ${String(tests)} total`))
})
