import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished, vi } from 'vitest'
import { packageNamed } from '../src/repository.js'
import { runOrThrow } from '../src/run.js'

const app = fileURLToPath(new URL('apps/unprepared.cjs', import.meta.url))
const chaosBin = join(packageNamed('cli').dir, 'dist', 'bin.js')

/** Starts the app with nothing but the preload, and a shell beside it. */
function unprepared() {
  const sockets = mkdtempSync(join(tmpdir(), 'chaos-unprepared-'))
  const env = { ...process.env, NODE_ENV: 'development', CHAOS_SOCKET_DIR: sockets }
  // Injectors are those that the package in this folder depends on.
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const child = spawn(process.execPath, ['--require', '@chaos/control/register', app], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
    rmSync(sockets, { recursive: true, force: true })
  })
  let last = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (last = text.trimEnd().split('\n').at(-1) ?? last))
  return {
    says: (what: object) => vi.waitFor(() => expect(JSON.parse(last)).toMatchObject(what)),
    chaos: async (...argv: readonly string[]) =>
      (await runOrThrow(process.execPath, [chaosBin, ...argv], { env })).stdout,
  }
}

it('breaks the files, requests and workers of an app that knows nothing of chaos, and gives them back', async () => {
  const { says, chaos } = unprepared()
  const whole = { file: 'read', service: 200 }
  await says({ ...whole, starts: 1 })
  expect(await chaos('targets')).toMatch(/^fs +adapter\/delay-file-operations, /m)

  await chaos(
    'inject',
    'fs',
    'fail-file-operations',
    '--paths',
    app,
    '--error',
    'fs/eio',
    '--for',
    '30s',
    '--id',
    'disk',
  )
  await says({ file: 'EIO', service: 200 })
  await chaos('stop', 'disk')
  await says(whole)

  await chaos(
    'inject',
    'fetch',
    'answer-requests',
    '--answer',
    'http/503-retry-after',
    '--for',
    '30s',
    '--id',
    'gateway',
  )
  await says({ file: 'read', service: 503 })
  await chaos('stop', 'gateway')
  await says(whole)

  expect(await chaos('inject', 'workers', 'terminate-worker')).toContain('1 of 1 operations affected')
  await says({ ...whole, starts: 2 })
  expect(await chaos('inject', 'workers', 'terminate-worker'), 'the one that came back').toContain(
    '1 of 1 operations affected',
  )
  await says({ ...whole, starts: 3 })
})
