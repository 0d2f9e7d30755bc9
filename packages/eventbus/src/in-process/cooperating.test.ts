import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'

const cooperatingFile = fileURLToPath(new URL('../../test/cooperating.mjs', import.meta.url))

// A target that loads the package itself: the built one, as a user's process does.
const started: (Worker | ChildProcess)[] = []
afterEach(async () => {
  for (const one of started.splice(0)) {
    if ('terminate' in one) await one.terminate()
    else one.kill('SIGKILL')
  }
})

interface Partner {
  readonly heard: unknown[]
  readonly tell: (message: unknown) => void
}

async function start(one: Worker | ChildProcess): Promise<Partner> {
  started.push(one)
  await once(one, 'message')
  const heard: unknown[] = []
  one.on('message', (message) => heard.push(message))
  const tell = (message: unknown): void => {
    if ('terminate' in one) one.postMessage(message)
    else one.send(message as object)
  }
  return { heard, tell }
}

const heardLast = (partner: Partner, message: unknown): Promise<void> =>
  vi.waitFor(() => expect(partner.heard.at(-1)).toEqual(message))

describe.each<[string, () => Worker | ChildProcess]>([
  ['a worker', () => new Worker(cooperatingFile, { execArgv: [] })],
  ['a child process', () => fork(cooperatingFile, { execArgv: [] })],
])('%s that cooperates', (_kind, make) => {
  it('loses what it sends itself', async () => {
    const partner = await start(make())
    partner.tell({ fault: 'dropEvents', options: { seam: 'publish' }, how: { skip: 1, limit: 3 } })
    await heardLast(partner, 'armed')
    for (const n of [1, 2, 3, 4, 5]) partner.tell(n)
    await heardLast(partner, 5)
    expect(partner.heard).toEqual(['armed', 4, 5])
  })

  it('hears late what is sent to it', async () => {
    const partner = await start(make())
    partner.tell({
      fault: 'delayEvents',
      options: { delayMs: 500, order: 'free' },
      how: { limit: 1 },
    })
    await heardLast(partner, 'armed')
    partner.tell('late')
    partner.tell('in time')
    await heardLast(partner, 'late')
    expect(partner.heard).toEqual(['armed', 'in time', 'late'])
  })
})
