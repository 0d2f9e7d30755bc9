import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { openSocket } from '@chaos/control'
import { createChaos, target, type InjectionState } from '@chaos/core'
import { blockEventLoop, freezeProcess } from '@chaos/worker'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { root } from '../src/repository.js'

const ECHO = "port.on('message', (message) => port.send(message)); port.send('up')"

/** What the fault is held on, and how it is spoken to. */
interface Echo {
  readonly heard: unknown[]
  readonly tell: (message: string) => void
}

let folder: string
let worker: Worker
let child: ChildProcess

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chaos-killed-'))
  worker = new Worker(
    `const { parentPort } = require('node:worker_threads'); const port = { on: parentPort.on.bind(parentPort), send: parentPort.postMessage.bind(parentPort) }; ${ECHO}`,
    { eval: true },
  )
  writeFileSync(join(folder, 'child.cjs'), `const port = process; ${ECHO}`)
  child = fork(join(folder, 'child.cjs'), { execArgv: [] })
  await Promise.all([once(worker, 'message'), once(child, 'message')])
})
afterAll(async () => {
  child.kill('SIGKILL')
  await worker.terminate()
  rmSync(folder, { recursive: true, force: true })
})

function echo(kind: 'worker' | 'child'): Echo {
  const heard: unknown[] = []
  const end = kind === 'worker' ? worker : child
  end.on('message', (message: unknown) => heard.push(message))
  const tell = (message: string): void => {
    if (kind === 'worker') worker.postMessage(message)
    else child.send(message)
  }
  return { heard, tell }
}

describe.runIf(process.platform !== 'win32')(
  'a controller that is killed with SIGKILL (not on Windows: it has no SIGSTOP)',
  () => {
    it.each([
      ['a blocked worker', 'worker', 'block-event-loop'],
      ['a stopped process', 'child', 'freeze-process'],
    ] as const)('lets %s go', async (_what, name, fault) => {
      const chaos = createChaos({
        environment: 'test',
        targets: { worker: target(worker, [blockEventLoop]), child: target(child, [freezeProcess]) },
      })
      const state = async (): Promise<InjectionState | undefined> => (await chaos.injections())[0]
      const affectedOver = (count: number): Promise<void> =>
        vi.waitFor(async () => expect((await state())?.affected).toBeGreaterThan(count))
      const endpoint = await openSocket(chaos, { directory: join(folder, name) })
      const { heard, tell } = echo(name)
      const controller = spawn(
        process.execPath,
        [
          '--input-type=module',
          '--eval',
          `
      import { connect } from '@chaos/control'
      const client = await connect({ socketPath: ${JSON.stringify(endpoint.path)} })
      await client.inject('${name}', '${fault}', { periodMs: 300 }, { leaseMs: 600_000, hold: 'connection' })
      console.log('held')`,
        ],
        { cwd: join(root, 'e2e'), stdio: ['ignore', 'pipe', 'inherit'] },
      )
      try {
        await once(controller.stdout, 'data')
        await affectedOver(1)
        tell('there?')
        await affectedOver(((await state())?.affected ?? 0) + 1)
        expect(heard).toEqual([])
        controller.kill('SIGKILL')
        await vi.waitFor(() => expect(heard).toEqual(['there?']))
        await vi.waitFor(async () => expect(await state()).toMatchObject({ status: 'ended', outcome: 'stopped' }))
      } finally {
        controller.kill('SIGKILL')
        await endpoint.close()
        await chaos.close()
      }
    })
  },
)
