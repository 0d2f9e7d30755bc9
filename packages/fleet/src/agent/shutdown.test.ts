import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { manualClock } from '@chaos/core/testing'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onTermination } from './shutdown.js'

describe.skipIf(process.platform === 'win32')('a signal to end', () => {
  // In the package, so that the program finds what it imports.
  const folder = mkdtempSync(fileURLToPath(new URL('../../node_modules/.shutdown-', import.meta.url)))
  const program = join(folder, 'app.mjs')
  beforeAll(() => {
    buildSync({
      entryPoints: [fileURLToPath(new URL('../../test/shutdown-app.ts', import.meta.url))],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
    })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs the program, and tells what it prints and how it ends. */
  async function ready(...wants: string[]) {
    const child = spawn(process.execPath, [program, ...wants], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    while (!output.includes('ready')) await once(child.stdout, 'data')
    const told = (): string[] => output.split('\n').filter((line) => line !== '' && line !== 'ready')
    return { child, ended, told }
  }
  /** The same, for a program that is sent a signal when it is ready. */
  async function signalled(signal: NodeJS.Signals, ...wants: string[]) {
    const program = await ready(...wants)
    program.child.kill(signal)
    return program
  }
  const terminated = (...wants: string[]) => signalled('SIGTERM', ...wants)

  it('ends every injection and undoes it, and then ends the process as without us', async () => {
    const { ended, told } = await terminated()
    expect(await ended).toEqual([null, 'SIGTERM'])
    expect(told()).toEqual(['before: broken', 'undone'])
  })

  it('ends the process once, though several agents listen', async () => {
    const { ended, told } = await terminated('two')
    expect(await ended).toEqual([null, 'SIGTERM'])
    expect(told()).toEqual(['before: broken', 'undone'])
  })

  it('ends the process though the undo does not', async () => {
    const { ended } = await terminated('stuck')
    expect(await ended).toEqual([null, 'SIGTERM'])
  })

  it('leaves the end to a handler of the application, which finds everything whole', async () => {
    const { child, ended, told } = await terminated('app')
    while (!told().includes('undone')) await once(child.stdout, 'data')
    expect(told()).toEqual(['before: broken', 'app: whole', 'undone'])
    child.kill('SIGTERM')
    while (told().length < 4) await once(child.stdout, 'data')
    expect(told()[3]).toBe('app: whole')
    expect(child.exitCode).toBeNull()
    child.kill('SIGKILL')
    await ended
  })

  it('does the same for SIGINT', async () => {
    const { ended, told } = await signalled('SIGINT')
    expect(await ended).toEqual([null, 'SIGINT'])
    expect(told()).toEqual(['before: broken', 'undone'])
  })

  it('ends the process at once at a second signal', async () => {
    const { child, ended, told } = await signalled('SIGINT', 'stuck')
    while (!told().includes('undone')) await once(child.stdout, 'data')
    child.kill('SIGINT')
    expect(await ended).toEqual([null, 'SIGINT'])
  })

  it.each([
    ['that is called once', ['once', 'exits'], ['once: whole', 'exits: whole'], [3, null]],
    ['that was added later', ['later', 'exits'], ['later: whole', 'exits: whole'], [3, null]],
    ['that ends the process if nobody else listens', ['signal-exit'], ['signal-exit: whole'], [null, 'SIGTERM']],
    ['of that kind, with two fleets', ['two', 'signal-exit'], ['signal-exit: whole'], [null, 'SIGTERM']],
    ['that is added while it is undone', ['meanwhile'], ['meanwhile: whole'], [4, null]],
  ] as const)('leaves the end to a handler %s', async (_what, wants, says, end) => {
    const { ended, told } = await terminated(...wants)
    expect(await ended).toEqual(end)
    expect(told()).toEqual(['before: broken', ...says])
  })

  it('ends a worker of a cluster as without us', async () => {
    const { ended, told } = await ready('cluster')
    expect(await ended).toEqual([0, null])
    expect(told()).toEqual(['before: broken', 'undone', 'worker: SIGTERM'])
  })

  it('comes before a handler that was prepended later, and does not end the process under it', async () => {
    const { ended, told } = await terminated('prepended')
    expect(await ended).toEqual([7, null])
    expect(told()).toEqual(['before: broken', 'prepended: whole', 'undone'])
  })
})

it('leaves no listener behind when it stops', () => {
  const count = () => ['SIGTERM', 'SIGINT', 'newListener'].map((name) => process.listenerCount(name))
  const [terms = 0, ints = 0, added = 0] = count()
  const stop = onTermination(manualClock(), () => Promise.resolve())
  expect(count()).toEqual([terms + 1, ints + 1, added + 2])
  stop()
  expect(count()).toEqual([terms, ints, added])
})
