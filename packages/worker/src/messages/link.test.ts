import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { MessageChannel, receiveMessageOnPort, type MessagePort, type Worker } from 'node:worker_threads'
import { inject, injectedBy, type Fault } from '@chaos/core'
import { faultContract, manualClock } from '@chaos/core/testing'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ECHO, startWorker } from '../../test/support.js'
import { childFile } from '../../test/task-file.js'
import { corruptMessages } from '../faults/corrupt-messages.js'
import { delayMessages } from '../faults/delay-messages.js'
import { dropMessages } from '../faults/drop-messages.js'
import { duplicateMessages } from '../faults/duplicate-messages.js'
import { failCloning } from '../faults/fail-cloning.js'
import { reorderMessages } from '../faults/reorder-messages.js'
import type { LinkTarget } from './link.js'

const ports: MessagePort[] = []
const children: ChildProcess[] = []
afterEach(() => {
  for (const port of ports.splice(0)) port.close()
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Two ends of a channel; what the other end hears. */
function channel(): { readonly near: MessagePort; readonly far: MessagePort; readonly heard: unknown[] } {
  const { port1: near, port2: far } = new MessageChannel()
  ports.push(near, far)
  const heard: unknown[] = []
  far.on('message', (message) => heard.push(message))
  return { near, far, heard }
}

/** A message that comes last: what was posted before has arrived, or never will. */
async function drained({ near, far }: ReturnType<typeof channel>): Promise<void> {
  const arrived = new Promise<void>((resolve) => {
    const onMessage = (message: unknown): void => {
      if (message !== 'last') return
      far.off('message', onMessage)
      resolve()
    }
    far.on('message', onMessage)
  })
  near.postMessage('last')
  await arrived
}

async function startChild(): Promise<ChildProcess> {
  const child = fork(childFile)
  children.push(child)
  await once(child, 'message')
  return child
}

const faults: readonly [string, () => Fault<LinkTarget>][] = [
  ['delay-messages', () => delayMessages({ delayMs: 10, direction: 'outgoing' })],
  ['drop-messages', () => dropMessages({ direction: 'outgoing' })],
  ['duplicate-messages', () => duplicateMessages({ direction: 'outgoing' })],
  ['reorder-messages', () => reorderMessages({ direction: 'outgoing' })],
  ['corrupt-messages', () => corruptMessages({ direction: 'outgoing' })],
  ['fail-cloning', () => failCloning({ direction: 'outgoing' })],
]

describe.each(faults)('the contract of %s', (_name, fault) => {
  describe.each<[string, () => Promise<MessagePort | Worker | ChildProcess>]>([
    ['a worker', () => startWorker(ECHO)],
    ['a process', startChild],
  ])('on %s', (_kind, target) => {
    const cases = faultContract<MessagePort | Worker | ChildProcess>({ fault, target, exercise: post })
    for (const { title, run } of cases) it(title, run)
  })

  describe('on a port', () => {
    const arrived = new WeakMap<MessagePort, number>()
    const others = new WeakMap<MessagePort, MessagePort>()
    const cases = faultContract<MessagePort>({
      fault,
      target: () => {
        const { port1: near, port2: far } = new MessageChannel()
        ports.push(near, far)
        others.set(near, far)
        return near
      },
      exercise: post,
      // What was posted lies at the other end at once; nobody listens there.
      cameThrough: (near) => {
        while (receiveMessageOnPort(others.get(near) as MessagePort) !== undefined)
          arrived.set(near, (arrived.get(near) ?? 0) + 1)
        return arrived.get(near) ?? 0
      },
    })
    for (const { title, run } of cases) it(title, run)
  })
})

it('leaves a direction alone that the blast radius leaves out', async () => {
  const { near } = channel()
  const post = near.postMessage
  const injection = await inject(delayMessages({ delayMs: 10 }), near, { only: 'incoming' })
  expect(near.postMessage).toBe(post)
  await injection.rollback()
})

function post(end: MessagePort | Worker | ChildProcess, times: number): void {
  for (let i = 0; i < times; i += 1) {
    try {
      if ('postMessage' in end) end.postMessage({ i })
      else end.send({ i })
    } catch {
      // What fail-cloning is for.
    }
  }
}

describe('a delayed message', () => {
  it('leaves late, never early, in order, with what was not chosen waiting behind', async () => {
    const clock = manualClock()
    const link = channel()
    const injection = await inject(delayMessages({ delayMs: 100, direction: 'outgoing' }), link.near, {
      clock,
      every: 2,
    })
    for (let i = 0; i < 4; i += 1) link.near.postMessage(i)
    expect(injection.snapshot()).toMatchObject({ affected: 2, passed: 2, queued: 2, held: 4 })
    await clock.advance(99)
    expect(link.heard).toEqual([])
    await clock.advance(1)
    await vi.waitFor(() => expect(link.heard).toEqual([0, 1, 2, 3]))
    await injection.rollback()
  })

  it('is what it was when it was posted, and its sender has given away what moves', async () => {
    const clock = manualClock()
    const link = channel()
    const moved = new MessageChannel()
    const message = { n: 1, bytes: new Uint8Array([1, 2, 3]), port: moved.port1 }
    await using _delay = await inject(delayMessages({ delayMs: 10, direction: 'outgoing' }), link.near, { clock })
    link.near.postMessage(message, [message.bytes.buffer, moved.port1])
    message.n = 2
    expect(message.bytes.byteLength).toBe(0)
    expect(() => link.near.postMessage(() => undefined)).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
    await clock.advance(10)
    await vi.waitFor(() => expect(link.heard).toHaveLength(1))
    const [arrived] = link.heard as [typeof message]
    expect([arrived.n, [...arrived.bytes]]).toEqual([1, [1, 2, 3]])
    arrived.port.postMessage('through the moved port')
    expect(await once(moved.port2, 'message')).toEqual(['through the moved port'])
    moved.port2.close()
  })

  it('comes late to every kind of listener of a port, with the ports that came along', async () => {
    const clock = manualClock()
    const { near, far, heard } = channel()
    const events: number[] = []
    far.addEventListener('message', ((event: { readonly ports: readonly unknown[] }) =>
      events.push(event.ports.length)) as never)
    const injection = await inject(delayMessages({ delayMs: 10, direction: 'incoming' }), far, { clock })
    near.postMessage('a', [new MessageChannel().port1])
    await vi.waitFor(() => expect(injection.held).toBe(1))
    expect([heard, events]).toEqual([[], []])
    await clock.advance(10)
    expect([heard, events]).toEqual([['a'], [1]])
    await injection.rollback()
  })

  it.each(['outgoing', 'incoming'] as const)('is held %s on a worker and on a process', async (direction) => {
    for (const end of [await startWorker(ECHO), await startChild()]) {
      const injection = await inject(delayMessages({ delayMs: 600_000, direction }), end)
      const heard: unknown[] = []
      end.on('message', (message) => heard.push(message))
      if ('postMessage' in end) end.postMessage({ a: 1 })
      else end.send({ a: 1 })
      await vi.waitFor(() => expect(injection.held).toBe(1))
      expect(heard).toEqual([])
      await injection.rollback()
      await vi.waitFor(() => expect(heard).toEqual([{ a: 1 }]))
    }
  })
})

describe('a lost message', () => {
  it('is lost quietly: its sender notices nothing, and a port that travelled with it closes', async () => {
    const link = channel()
    const { port1, port2 } = new MessageChannel()
    const closed = once(port2, 'close')
    const drop = await inject(dropMessages({ direction: 'outgoing' }), link.near)
    link.near.postMessage('lost', [port1])
    await closed
    await drop.rollback()
    await drained(link)
    expect(link.heard).toEqual(['last'])
  })

  it('of a process answers its callback as if it had been written', async () => {
    const child = await startChild()
    await using _drop = await inject(dropMessages({ direction: 'outgoing' }), child)
    expect(await new Promise((resolve) => expect(child.send('lost', resolve)).toBe(true))).toBe(null)
  })

  it('is chosen by a predicate of the message', async () => {
    const link = channel()
    const drop = await inject(dropMessages(), link.near, { only: (args) => (args[0] as number) % 2 === 0 })
    for (let i = 0; i < 6; i += 1) link.near.postMessage(i)
    await drop.rollback()
    await drained(link)
    expect([link.heard, drop.seen]).toEqual([[1, 3, 5, 'last'], 3])
  })
})

describe('a duplicated message', () => {
  it('is followed by copies of its own, also when bytes move', async () => {
    const link = channel()
    const twice = await inject(duplicateMessages({ copies: 2, direction: 'outgoing' }), link.near)
    const bytes = new Uint8Array([7])
    link.near.postMessage(bytes, [bytes.buffer])
    await twice.rollback()
    await drained(link)
    expect([bytes.byteLength, link.heard]).toEqual([
      0,
      [new Uint8Array([7]), new Uint8Array([7]), new Uint8Array([7]), 'last'],
    ])
  })

  it('is cloned only where it is affected', async () => {
    const link = channel()
    const twice = await inject(duplicateMessages(), link.near, { rate: 0 })
    const clones = vi.spyOn(globalThis, 'structuredClone')
    for (let n = 0; n < 100; n += 1) link.near.postMessage({ n })
    await drained(link)
    expect([clones.mock.calls.length, twice.seen, twice.affected]).toEqual([0, 101, 0])
    await twice.rollback()
  })

  it('is no message that moves a port: that one passes, uncounted', async () => {
    const link = channel()
    const twice = await inject(duplicateMessages(), link.near)
    const { port1 } = new MessageChannel()
    link.near.postMessage({ port1 }, [port1])
    expect(twice.seen).toBe(0)
    await twice.rollback()
    await drained(link)
    expect(link.heard).toHaveLength(2)
  })
})

describe('a reordered message', () => {
  it('goes right after the n-th unaffected one behind it', async () => {
    const link = channel()
    const reorder = await inject(reorderMessages({ distance: 2, direction: 'outgoing' }), link.near, {
      clock: manualClock(),
      every: 4,
    })
    for (let i = 0; i < 8; i += 1) link.near.postMessage(i)
    await reorder.rollback()
    await drained(link)
    expect(link.heard).toEqual([1, 2, 0, 3, 5, 6, 4, 7, 'last'])
  })

  it('goes by itself when nothing overtakes it in time', async () => {
    const clock = manualClock()
    const link = channel()
    await using reorder = await inject(reorderMessages({ maxHoldMs: 50 }), link.near, { clock })
    link.near.postMessage('alone')
    await clock.advance(49)
    expect(reorder.held).toBe(1)
    await clock.advance(1)
    await vi.waitFor(() => expect(link.heard).toEqual(['alone']))
  })
})

describe('a corrupted message', () => {
  it.each([
    [{}, { id: 7, name: 'abc' }, { id: -8, name: 'abc' }],
    [{ field: 'name' }, { id: 7, name: 'abc' }, { id: 7, name: '\uFFFDbc' }],
    [
      { field: 'name', damage: 'truncate' },
      { id: 7, name: 'abcd' },
      { id: 7, name: 'ab' },
    ],
    [{ field: 'list.1', damage: 'remove' }, { list: [1, 2] }, { list: [1, undefined] }],
    [{ field: 'nowhere' }, { id: 7 }, { id: 7 }],
    [{ change: () => 'other' }, { id: 7 }, 'other'],
    [{}, true, false],
    [{}, new Uint8Array([1, 2, 3]), new Uint8Array([1, 0xfd, 3])],
  ] as const)('by %o: %o comes as %o, and its sender keeps the right one', async (options, message, expected) => {
    const link = channel()
    const before = structuredClone(message)
    const corrupt = await inject(corruptMessages({ direction: 'outgoing', ...options }), link.near)
    link.near.postMessage(message)
    await corrupt.rollback()
    await drained(link)
    expect([message, link.heard]).toEqual([before, [expected, 'last']])
  })
})

describe('a message that cannot be cloned', () => {
  it('throws a real DataCloneError at its sender, and moves nothing', async () => {
    const link = channel()
    const bytes = new Uint8Array([1])
    await using _fail = await inject(failCloning({ direction: 'outgoing' }), link.near)
    const thrown = (() => {
      try {
        link.near.postMessage(bytes, [bytes.buffer])
        return undefined
      } catch (error) {
        return error as DOMException
      }
    })()
    expect([thrown?.name, thrown?.code, thrown instanceof DOMException, injectedBy(thrown), bytes.byteLength]).toEqual([
      'DataCloneError',
      25,
      true,
      'worker/fail-cloning',
      1,
    ])
  })

  it('is heard as messageerror', async () => {
    // Node.js reads from a worker only while somebody listens for messages.
    const worker = (await startWorker(ECHO)).on('message', () => undefined)
    await using _fail = await inject(failCloning({ direction: 'incoming' }), worker)
    const failed = once(worker, 'messageerror')
    worker.postMessage(1)
    expect(await failed).toMatchObject([{ name: 'DataCloneError' }])
    const { near, far } = channel()
    await using _port = await inject(failCloning({ direction: 'incoming' }), far)
    const heard = once(far, 'messageerror')
    near.postMessage(1)
    expect(await heard).toMatchObject([{ name: 'DataCloneError' }])
  })
})

describe('a live set', () => {
  it('has its replacements found', async () => {
    const clock = manualClock()
    let current = await startWorker(ECHO)
    const drop = await inject(dropMessages({ direction: 'outgoing' }), () => current, { clock })
    current = await startWorker(ECHO)
    await clock.advance(20)
    current.postMessage(1)
    expect(drop.affected).toBe(1)
    await drop.rollback()
  })

  it('must have an open end', async () => {
    const worker = await startWorker()
    await worker.terminate()
    await expect(inject(dropMessages(), worker)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
    await expect(inject(dropMessages(), () => undefined)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
  })
})

describe('overlapping faults', () => {
  /** Sends through delay, drop, duplicate and reorder, in this order from the caller to the wire. */
  async function flood(count: number, rates: readonly [number, number, number, number], seed: number): Promise<void> {
    const clock = manualClock()
    const link = channel()
    const how = (rate: number) => ({ clock, rate, seed, leaseMs: 600_000 })
    const reorder = await inject(
      reorderMessages({ direction: 'outgoing', distance: 3, maxHoldMs: 500 }),
      link.near,
      how(rates[3]),
    )
    const duplicate = await inject(duplicateMessages({ direction: 'outgoing' }), link.near, how(rates[2]))
    const drop = await inject(dropMessages({ direction: 'outgoing' }), link.near, how(rates[1]))
    const delay = await inject(delayMessages({ direction: 'outgoing', delayMs: 100 }), link.near, how(rates[0]))
    for (let i = 0; i < count; i += 1) link.near.postMessage(i)

    // What one layer lets go is what the next one sees, at any instant.
    expect(delay.seen).toBe(count)
    expect(drop.seen).toBe(count - delay.held)
    expect(duplicate.seen).toBe(drop.passed)
    expect(reorder.seen).toBe(duplicate.seen + duplicate.affected)
    await clock.advance(1_000)
    expect([delay.held, drop.seen, duplicate.seen, reorder.held]).toEqual([0, count, drop.passed, 0])
    await Promise.all([delay, drop, duplicate, reorder].map((one) => one.rollback()))
    await drained(link)
    expect(link.heard.length - 1).toBe(count - drop.affected + duplicate.affected)
    if (rates[3] === 0) {
      // Without reordering, order is kept.
      const numbers = link.heard.slice(0, -1) as number[]
      expect(numbers.every((n, index) => index === 0 || n >= (numbers[index - 1] as number))).toBe(true)
    }
  }

  it('balance exactly, whatever their rates', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 200 }),
        fc.array(fc.constantFrom(0, 0.1, 0.5, 1), { minLength: 4, maxLength: 4 }),
        fc.integer(),
        (count, rates, seed) => flood(count, rates as [number, number, number, number], seed),
      ),
      { numRuns: Number(process.env['FC_RUNS'] ?? 50) },
    ))

  it('balance exactly over 100,000 messages', () => flood(100_000, [0.2, 0.1, 0.1, 0.1], 1))
  it('keep the order of 20,000 messages that none of them reorders', () => flood(20_000, [0.2, 0.1, 0.1, 0], 2))
})

describe('what is held when its end closes', () => {
  it('is lost, and neither heard afterwards nor thrown from a timer, on a port', async () => {
    const { port1: near, port2: far } = new MessageChannel()
    const heard = vi.fn()
    far.on('message', heard)
    const clock = manualClock()
    const injection = await inject(delayMessages({ delayMs: 10, direction: 'incoming' }), far, { clock })
    near.postMessage(1)
    await vi.waitFor(() => expect(injection.held).toBe(1))
    const closed = once(far, 'close')
    near.close()
    await closed
    await clock.advance(10)
    expect(heard).not.toHaveBeenCalled()
    expect(injection.account).toEqual({ lost: 1 })
    await injection.rollback()
    expect(far.listenerCount('close')).toBe(0)
  })

  it.each([
    delayMessages({ delayMs: 10, direction: 'outgoing' }),
    reorderMessages({ maxHoldMs: 10, direction: 'outgoing' }),
  ])('is lost on a channel: $name', async (fault) => {
    const channel = new BroadcastChannel('held')
    const clock = manualClock()
    const injection = await inject(fault, channel as unknown as LinkTarget, { clock })
    channel.postMessage(1)
    channel.close()
    await clock.advance(10)
    expect(injection.account).toEqual({ lost: 1 })
    await injection.rollback()
  })

  it('is lost on a process whose channel is closed, which its sender hears', async () => {
    const child = await startChild()
    const clock = manualClock()
    const injection = await inject(delayMessages({ delayMs: 10, direction: 'outgoing' }), child, { clock })
    const told = new Promise<unknown>((resolve) => child.send({ n: 1 }, resolve))
    child.disconnect()
    await clock.advance(10)
    expect(await told).toMatchObject({ code: 'ERR_IPC_CHANNEL_CLOSED' })
    expect(injection.account).toEqual({ lost: 1 })
    await injection.rollback()
  })

  it('is lost on a process whose channel is closed when it would be overtaken', async () => {
    const child = await startChild()
    const injection = await inject(reorderMessages({ direction: 'outgoing', maxHoldMs: 60_000 }), child, { limit: 1 })
    child.send({ n: 1 })
    child.disconnect()
    const told = await new Promise<unknown>((resolve) => child.send({ n: 2 }, resolve))
    expect(told).toMatchObject({ code: 'ERR_IPC_CHANNEL_CLOSED' })
    expect(injection.account).toEqual({ lost: 1 })
    await injection.rollback()
  })

  /** Kills a process, and waits in this very turn until it has closed its end of the channel: a zombie without other threads has. */
  function kill({ pid = 0 }: ChildProcess): void {
    process.kill(pid, 'SIGKILL')
    while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ') || readdirSync(`/proc/${pid}/task`).length > 1);
  }

  it
    .runIf(process.platform === 'linux')
    .each([
      delayMessages({ delayMs: 60_000, direction: 'outgoing' }),
      reorderMessages({ maxHoldMs: 60_000, direction: 'outgoing' }),
    ])('ends no sender of a process that has died, though nobody has heard of that yet: $name', async (fault) => {
    const child = await startChild()
    const injection = await inject(fault, child)
    const told = new Promise<unknown>((resolve) => child.send({ n: 1 }, resolve))
    child.send({ n: 2 })
    kill(child)
    const gone = once(child, 'close')
    await injection.rollback()
    expect(await told).toMatchObject({ code: 'EPIPE' })
    await gone
  })

  it.runIf(process.platform === 'linux')(
    'emits no error for a copy to a process that has died, whose sender hears of the original',
    async () => {
      const child = await startChild()
      const injection = await inject(duplicateMessages({ direction: 'outgoing' }), child)
      kill(child)
      const gone = once(child, 'close')
      expect(await new Promise<unknown>((resolve) => child.send({ n: 1 }, resolve))).toMatchObject({ code: 'EPIPE' })
      await gone
      await injection.rollback()
    },
  )
})

it('passes a message on as it was where it cannot be damaged: neither posting nor hearing throws', async () => {
  const circle: { own?: unknown } = {}
  circle.own = circle
  const change = (): never => {
    throw new Error('a mistake in `change`')
  }
  for (const direction of ['outgoing', 'incoming'] as const) {
    for (const fault of [corruptMessages({ direction }), corruptMessages({ direction, change })]) {
      const link = channel()
      const injection = await inject(fault, direction === 'outgoing' ? link.near : link.far, { limit: 1 })
      link.near.postMessage(circle)
      await drained(link)
      expect(link.heard).toEqual([circle, 'last'])
      await injection.rollback()
    }
  }
})
