import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
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
  const child = spawn(process.execPath, args, { cwd: appFolder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (out += text))
  const [code] = (await once(child, 'exit')) as [number | null]
  return { code, out }
}
