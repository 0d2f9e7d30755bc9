import { createServer } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalProcess } from '@chaos/control'
import { manualClock } from '@chaos/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import type { Arming } from '../permit/arming.js'
import { Connections } from './connections.js'
import { watchPermit } from './withdrawal.js'

const named = (name: string, socketPath = `/${name}`): LocalProcess => ({
  pid: 1,
  name,
  socketPath,
  startedAt: 0,
  targets: [],
})

/** Connections to processes that never answer, with one injection in each. */
function hanging(...names: readonly string[]) {
  const asked: string[] = []
  const open = names.map((name) => ({
    process: named(name),
    armed: new Set([`fault of ${name}`]),
    client: {
      stop(id: string): Promise<never> {
        asked.push(id)
        return new Promise(() => undefined)
      },
    },
  }))
  return { asked, connections: { open: () => open } as unknown as Connections }
}

it.each([
  ['is withdrawn', (): unknown => ({ isOpen: false })],
  [
    'is not private any more',
    (): unknown => {
      throw new Error('mode 755')
    },
  ],
])('when the permit %s, stops the faults of every process at once, though one hangs', async (_what, stateOf) => {
  const clock = manualClock()
  const { asked, connections } = hanging('a', 'b')
  const unwatch = watchPermit(connections, { stateOf } as unknown as Arming, clock, () => undefined)
  await clock.advance(1_000)
  expect(asked).toEqual(['fault of a', 'fault of b'])
  unwatch()
})

it('lists the open connections without waiting for a process that does not answer', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-mute-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const connections = new Connections(() => 'a test')
  const mute = createServer()
  await new Promise<void>((resolve) => mute.listen(join(folder, 's'), resolve))
  const came = new Promise((resolve) =>
    mute.once('connection', (socket) => {
      onTestFinished(() => void socket.destroy())
      resolve(socket)
    }),
  )
  const connecting = connections.to(named('mute', join(folder, 's')))
  await came
  expect(connections.open()).toEqual([])
  mute.close()
  void connecting.catch(() => undefined)
})
