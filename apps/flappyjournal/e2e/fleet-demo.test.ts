import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasPrograms } from '@chaos/test-servers'
import { describe, expect, it } from 'vitest'
import { endedBy } from './ended-demo.js'
import { folder, runScript } from './helpers.js'

const NO_REDIS = 3

describe('the demo of a fleet, where Redis', () => {
  it('is not installed, says how to get it, and does not pretend to have shown anything', async () => {
    const { code, out } = await runScript(['dist/demo.js', '--fleet', '--report', await folder()], {
      PATH: await folder(),
    })
    expect(out).toMatch(/there is no redis-server on PATH\..*apt install redis-server/)
    expect(code).toBe(NO_REDIS)
  })

  it('is too old, names the version', async () => {
    const programs = await folder()
    const program = join(programs, 'redis-server')
    await writeFile(program, '#!/bin/sh\necho "Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64"\n')
    await chmod(program, 0o755)
    const { code, out } = await runScript(['dist/demo.js', '--fleet', '--report', await folder()], { PATH: programs })
    expect(out).toContain('needs Redis 7 or later')
    expect(out).toContain('is 6.2.14')
    expect(code).toBe(NO_REDIS)
  })
})

it('the demo of a fleet is not one of the experiments of the other demo', async () => {
  const { code, out } = await runScript(['dist/demo.js', '--fleet', '--only', 'worker'])
  expect([code, out]).toEqual([2, '`--fleet` is a demo of its own. Leave out `--all` and `--only`.\n'])
})

it.runIf(hasPrograms('redis-server'))(
  'the demo of a fleet leaves no process and no file behind when it is ended by SIGTERM while a command plans (skipped without `redis-server`: Debian package redis-server)',
  { timeout: 180_000 },
  async () => {
    const { code, summary } = await endedBy('SIGTERM', '$ chaos fleet plan ')
    expect(code).toBe(143)
    expect(summary).toContain('1 of 6 steps held')
  },
)
