import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, it, vi } from 'vitest'
import { cooperatingFile } from '../../test/task-file.js'

// A process that loads the package itself: the built one, as a user's process does.
const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

it('blocks the main thread of a process that injects the fault itself, while its parent runs on', async () => {
  const child = fork(cooperatingFile, { execArgv: [] })
  started.push(child)
  await once(child, 'message')
  const heard: unknown[] = []
  child.on('message', (message) => heard.push(message))
  const heardLast = (message: unknown): Promise<void> => vi.waitFor(() => expect(heard.at(-1)).toEqual(message))
  child.send('block')
  await heardLast('armed')
  child.send('there?')
  await heardLast('there?')
  child.send('end')
  await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ affected: expect.any(Number) as number }))
  expect((heard.at(-1) as { affected: number }).affected).toBeGreaterThan(0)
})
