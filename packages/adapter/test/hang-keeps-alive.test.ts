import { inject } from '@chaos/core'
import fs from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { hangCalls } from '../src/calls/index.js'
import { hangFileOperations } from '../src/files/index.js'
import { hangConnections } from '../src/net/index.js'
import { temporaryFolder } from './temporary-folder.js'

/** The number of timers that keep the process alive. */
function timers(): number {
  const { getActiveResourcesInfo } = process as unknown as { readonly getActiveResourcesInfo: () => readonly string[] }
  return getActiveResourcesInfo.call(process).filter((name) => name === 'Timeout').length
}

const service = { get: () => Promise.resolve(1) }
const hangs = {
  'a file operation': () => {
    const path = join(temporaryFolder(), 'file')
    fs.writeFileSync(path, 'content')
    return [inject(hangFileOperations({ paths: path }), fs), (): unknown => fs.promises.stat(path)] as const
  },
  'a connection': () =>
    [
      inject(hangConnections(), net, { only: '*:1' }),
      (): unknown => {
        const socket = net.connect(1, '127.0.0.1').on('error', () => undefined)
        onTestFinished(() => void socket.destroy())
        return undefined
      },
    ] as const,
  'a call': () => [inject(hangCalls({ methods: 'get' }), service), (): unknown => service.get()] as const,
}

it.each(Object.entries(hangs))(
  '%s that hangs keeps the process alive, as one without an answer does',
  async (_what, start) => {
    const [injecting, act] = start()
    const injection = await injecting
    const before = timers()
    const answer = act()
    // A socket connects in the next tick.
    await new Promise((resolve) => process.nextTick(resolve))
    expect([injection.held, timers() - before]).toEqual([1, 1])
    const ended = injection.rollback()
    expect(timers() - before).toBe(0)
    await ended
    await answer
  },
)
