import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { startLoad, type Load } from '../demo/load.js'
import { appFolder } from '../src/config.js'

/** How a program came out. */
export interface Ran {
  readonly code: number | null
  readonly out: string
}

/** A folder that is removed when the test has finished. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'flappy-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Runs a script of the app to its end. */
export async function runScript(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const child = spawn(process.execPath, args, {
    cwd: appFolder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (out += text))
  // 'close', unlike 'exit', comes after all of the output.
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out }
}

/** What the tokens of these servers are signed with. */
export const SECRET = 'a secret of at least thirty-two characters'

/** A running dev server. */
export interface Dev {
  readonly url: string
  readonly alertsUrl: string
  readonly sockets: string
  readonly log: () => Promise<string>
  readonly env: NodeJS.ProcessEnv
}

/** A dev server in a process of its own. */
export async function devServer(env: NodeJS.ProcessEnv = {}): Promise<Dev> {
  const work = await folder()
  const sockets = join(work, 's')
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: appFolder,
    env: {
      ...process.env,
      NODE_ENV: 'development',
      CHAOS: 'on',
      FLAPPY_WINDOWS: 'demo',
      PORT: '0',
      JWT_SECRET: SECRET,
      LEVEL_PATH: join(work, 'level'),
      CHAOS_SOCKET_DIR: sockets,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await exited
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  await vi.waitFor(() => expect(out).toContain('"listening"'))
  const { url, alertsUrl } = JSON.parse(out.split('\n').find((line) => line.includes('"listening"')) ?? '{}') as {
    url: string
    alertsUrl: string
  }
  return {
    url,
    alertsUrl,
    sockets,
    log: () => Promise.resolve(out),
    env: { CHAOS_SOCKET_DIR: sockets, FLAPPY_URL: url },
  }
}

/** Puts load on a journal and waits until it is under way. */
export async function loadOn({ url }: { readonly url: string }): Promise<Load> {
  const load = await startLoad({ url, secret: SECRET, users: 3 })
  onTestFinished(() => load.stop())
  await vi.waitFor(() => expect(load.report().acknowledged).toBeGreaterThan(3))
  return load
}
