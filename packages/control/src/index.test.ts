import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import * as control from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(control).sort()).toEqual([
    'chooseProcess',
    'connect',
    'createHandler',
    'discover',
    'errorInfo',
    'installedPackages',
    'mountEndpoint',
    'openApiDocument',
    'openSocket',
    'privateDirectories',
  ])
})

it('does nothing when it is imported', async () => {
  const script = `
    import { existsSync } from 'node:fs'
    // Importing this, Node.js itself puts a symbol there.
    import 'node:http'
    const before = { globals: Reflect.ownKeys(globalThis).length, exit: process.listenerCount('exit') }
    await import('./index.js')
    const after = { globals: Reflect.ownKeys(globalThis).length, exit: process.listenerCount('exit') }
    const waiting = process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|Server|Socket|Watch/.test(name))
    console.log(JSON.stringify({ before, after, waiting, opened: existsSync(process.env.CHAOS_SOCKET_DIR) }))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('../dist/', import.meta.url),
    env: { ...process.env, NODE_ENV: 'development', CHAOS_SOCKET_DIR: '/nonexistent/chaos-control-test' },
  })
  const { before, after, waiting, opened } = JSON.parse(stdout) as Record<string, unknown>
  expect(after).toEqual(before)
  expect(waiting).toEqual([])
  expect(opened).toBe(false)
})
