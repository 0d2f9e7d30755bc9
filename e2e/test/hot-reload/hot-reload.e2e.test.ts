import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { root } from '../../src/repository.js'
import { runOrThrow } from '../../src/run.js'

it.each(['query', 'cache', 'everything'])('leaves only the newest evaluation of an app: %s', async (way) => {
  const directory = mkdtempSync(join(tmpdir(), 'chaos-reload-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const { stdout } = await runOrThrow(process.execPath, [join(root, 'e2e/test/hot-reload/reload.mjs'), way], {
    env: { ...process.env, NODE_ENV: 'test', CHAOS_SOCKET_DIR: directory },
  })
  const { before, after, ...fault } = JSON.parse(stdout) as Record<string, unknown>
  expect(before).toMatchObject({ sockets: 1, controllers: 1 })
  expect(after).toEqual(before)
  expect(fault).toEqual({ broken: [true, false], outcome: 'lease-expired', left: false })
})
