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
const server = fileURLToPath(new URL('apps/unprepared-server.cjs', import.meta.url))
const exploreBin = join(packageNamed('test').dir, 'dist', 'bin.js')
const chaosBin = join(packageNamed('cli').dir, 'dist', 'bin.js')

/** Starts an app with nothing but the preload, and a shell beside it. */
function unprepared(started = app, asked: NodeJS.ProcessEnv = {}) {
  const sockets = mkdtempSync(join(tmpdir(), 'chaos-unprepared-'))
  const env = { ...process.env, NODE_ENV: 'development', CHAOS_SOCKET_DIR: sockets, ...asked }
  // Injectors are those that the package in this folder depends on.
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const child = spawn(process.execPath, ['--require', '@chaos/control/register', started], {
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
    said: () => vi.waitFor(() => JSON.parse(last) as Readonly<Record<string, unknown>>),
    explore: async (...argv: readonly string[]) =>
      (await runOrThrow(process.execPath, [exploreBin, ...argv], { env })).stdout,
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

it.each([
  ['a scope for each request, if it is asked to', '1', 'GET /items: '],
  ['none, if it is not', '0', ''],
])('is explored without chaos code, and opens %s', { timeout: 60_000 }, async (_what, asked, prefix) => {
  const { said, explore } = unprepared(server, { CHAOS_SCOPES: asked })
  const origin = `http://127.0.0.1:${String((await said())['port'])}`
  const fault = `fs:fail-file-operations=${JSON.stringify({ error: 'fs/eio', paths: server })}`
  const how = ['--target', 'fs', '--fault', fault, '--depth', '1', '--json']
  const found = JSON.parse(
    await explore('--load', `GET ${origin}/items`, '--check', `GET ${origin}/`, ...how),
  ) as unknown
  expect(found).toMatchObject({ map: { rows: [{ point: `${prefix}fs.read ${server} #1` }] } })
})
