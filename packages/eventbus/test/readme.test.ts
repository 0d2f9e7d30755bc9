import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hasPrograms, ownRedis } from '@chaos/test-servers'

const folder = fileURLToPath(new URL('..', import.meta.url))
const examples = [...readFileSync(`${folder}README.md`, 'utf8').matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(
  ([, code = '']) => code,
)

describe('the examples of the README', () => {
  const run = async (code: string): Promise<string> =>
    (await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: folder })).stdout

  it.each(examples.filter((code) => !code.includes('new Redis()')))('run: %#', async (code) => {
    expect(await run(code)).not.toBe('')
  })

  it.runIf(hasPrograms('redis-server')).each(examples.filter((code) => code.includes('new Redis()')))(
    'run on a broker (skipped without `redis-server`: Debian package redis-server)',
    async (code) => {
      const server = await ownRedis()
      onTestFinished(() => server.stop())
      expect(await run(code.replaceAll('new Redis()', `new Redis(${server.port})`))).toBe('late on orders\n')
    },
  )
})
