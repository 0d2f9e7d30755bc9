import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished } from 'vitest'
import { appFolder } from '../src/config.js'
import { folder } from './helpers.js'

/**
 * Ends the demo of a fleet by a signal, and checks that it leaves no process and no file behind.
 *
 * @param moment Part of the line that it has just printed.
 */
export async function endedBy(
  signal: NodeJS.Signals,
  moment: string,
): Promise<{ readonly code: number | null; /** What it says of its steps. */ readonly summary: string | undefined }> {
  const temporary = join(await folder(), 'tmp')
  await mkdir(temporary)
  const demo = spawn(process.execPath, ['dist/demo.js', '--fleet', '--report', await folder()], {
    cwd: appFolder,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void demo.kill('SIGKILL'))
  const ended = once(demo, 'close')
  const lines: string[] = []
  for await (const line of createInterface({ input: demo.stdout })) {
    lines.push(line)
    if (line.includes(moment)) demo.kill(signal)
  }
  const [code] = (await ended) as [number | null]
  const pids = lines.flatMap((line) => /^journal-\d +│ (\d+) +│/.exec(line)?.[1] ?? []).map(Number)
  expect(pids).toHaveLength(3)
  expect(pids.filter(isAlive)).toEqual([])
  const [, port] = /port (\d+)/.exec(lines.join('\n')) ?? []
  await expect(fetch(`http://127.0.0.1:${port ?? ''}`)).rejects.toThrow('fetch failed')
  expect(await readdir(temporary)).toEqual([])
  return { code, summary: lines.at(-2) }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
