import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { childFile } from '../../test/task-file.js'
import { freezeProcess } from './freeze-process.js'
import { signalProcess } from './signal-process.js'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

async function startChild(...args: string[]): Promise<ChildProcess> {
  const child = fork(childFile, args)
  children.push(child)
  await once(child, 'message')
  return child
}

/** Linux's word for what a process is doing: `T` is stopped. */
const stateOf = (pid = 0): string => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''

describe('signalProcess', () => {
  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'ends a process by %s, and reports how it ended',
    async (signal) => {
      const child = await startChild()
      const { evidence } = await inject(signalProcess({ signal }), child)
      expect(evidence).toMatchObject([{ pid: child.pid, signal, exitCode: null, endedBy: signal }])
    },
  )

  it('reports a process that ignores the signal, and leaves no listener', async () => {
    const child = await startChild('--ignore-sigterm')
    const before = child.listenerCount('exit')
    const { evidence } = await inject(signalProcess({ signal: 'SIGTERM', patienceMs: 200 }), child)
    expect(evidence).toMatchObject([{ ignored: true }])
    expect([child.exitCode, child.listenerCount('exit')]).toEqual([null, before])
  })

  it('strikes mid-task, or after the application has received the n-th message', async () => {
    const child = await startChild()
    const heard: unknown[] = []
    child.on('message', (message) => heard.push(message))
    const struck = inject(signalProcess({ when: 'message', messages: 2 }), child)
    await new Promise(setImmediate)
    for (const n of [1, 2]) child.send(n)
    expect((await struck).evidence).toMatchObject([{ endedBy: 'SIGKILL' }])
    expect(heard.slice(0, 2)).toEqual([1, 2])

    const other = await startChild()
    const midTask = inject(signalProcess({ when: 'mid-task' }), other)
    await new Promise(setImmediate)
    expect(other.signalCode).toBe(null)
    expect(other.send('task')).toBe(true)
    expect((await midTask).evidence).toMatchObject([{ endedBy: 'SIGKILL' }])
    expect([Object.hasOwn(child, 'emit'), child.listenerCount('exit'), other.listenerCount('exit')]).toEqual([
      false,
      0,
      0,
    ])
  })

  it('refuses to wait for a message of a process without a channel, and strikes none', async () => {
    const [mute, child] = [spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']), await startChild()]
    children.push(mute)
    await expect(inject(signalProcess({ select: 'all', when: 'message' }), [mute, child])).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining('channel for `when: message`') as string,
    })
    expect([mute, child].map(({ signalCode }) => signalCode)).toEqual([null, null])
  })

  it('chooses by pid, age and place', async () => {
    const all = [await startChild(), await startChild(), await startChild()]
    await inject(signalProcess({ pid: all[1]?.pid ?? 0 }), all)
    await inject(signalProcess({ select: 'newest' }), all)
    expect(all.map(({ signalCode }) => signalCode)).toEqual([null, 'SIGKILL', 'SIGKILL'])
    await expect(inject(signalProcess({ select: 'nth', nth: 2 }), all)).rejects.toMatchObject({
      code: 'CHAOS_NO_LIVE_WORKER',
    })
    await expect(inject(signalProcess({ pid: 1 }), all)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
  })
})

describe.skipIf(process.platform !== 'linux')('freezeProcess (Linux only: it reads /proc)', () => {
  it('freezes a process, which then does not answer, and resumes it', async () => {
    const child = await startChild()
    const injection = await inject(freezeProcess({ periodMs: 10 }), child)
    await vi.waitFor(() => expect(stateOf(child.pid)).toBe('T'))
    const heard: unknown[] = []
    child.on('message', (message) => heard.push(message))
    child.send('there?')
    await vi.waitFor(() => expect(injection.affected).toBeGreaterThan(5))
    expect(heard).toEqual([])
    await injection.rollback()
    await vi.waitFor(() => expect(heard).toEqual(['there?']))
  })

  it('lasts until the end of the period that spends its limit', async () => {
    const clock = manualClock()
    const child = await startChild()
    const injection = await inject(freezeProcess({ periodMs: 100 }), child, { clock, limit: 1 })
    await clock.advance(199)
    await vi.waitFor(() => expect(stateOf(child.pid)).toBe('T'))
    expect(injection.status).toBe('active')
    await clock.advance(1)
    expect((await injection.done).outcome).toBe('limit-spent')
    await vi.waitFor(() => expect(stateOf(child.pid)).not.toBe('T'))
  })

  it('resumes it when the process that holds the fault is killed with SIGKILL', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'])
    children.push(child)
    const core = new URL('../../../core/dist/index.js', import.meta.url).href
    const ours = new URL('../../dist/index.js', import.meta.url).href
    // A holder of its own: all it knows of its target is the pid.
    const holder = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `
      import { EventEmitter } from 'node:events'
      import { inject } from '${core}'
      import { freezeProcess } from '${ours}'
      const target = Object.assign(new EventEmitter(), { pid: ${child.pid}, exitCode: null, signalCode: null, kill: (signal) => process.kill(${child.pid}, signal) })
      await inject(freezeProcess({ periodMs: 10 }), target)
      setInterval(() => undefined, 1000)`,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    children.push(holder)
    await vi.waitFor(() => expect(stateOf(child.pid)).toBe('T'))
    holder.kill('SIGKILL')
    await vi.waitFor(() => expect(stateOf(child.pid)).not.toBe('T'))
  })

  it('lets a process die that is killed while it is frozen', async () => {
    const child = await startChild()
    const injection = await inject(freezeProcess({ periodMs: 10 }), child)
    await vi.waitFor(() => expect(stateOf(child.pid)).toBe('T'))
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect((await injection.rollback()).failures).toEqual([])
  })
})
