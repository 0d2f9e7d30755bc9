import { EventEmitter, once } from 'node:events'
import { fork, spawn, type ChildProcess, type ForkOptions } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BroadcastChannel, MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { inject, injectedBy } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { faultTable, type Content, type RunningBus } from '../../test/fault-table.js'
import { corruptEvents } from '../faults/corrupt-events.js'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'
import { duplicateEvents } from '../faults/duplicate-events.js'
import { failCloning } from '../faults/fail-cloning.js'
import { failListeners } from '../faults/fail-listeners.js'
import { reorderEvents } from '../faults/reorder-events.js'
import { bindBus } from '../seams/bus.js'
import type { BusTarget } from './bus-target.js'
import { bindChannel, type ChannelTarget } from './channel.js'

const ECHO = `const { parentPort: port } = require('node:worker_threads')
  port.on('message', (message) => port.postMessage(message)); port.postMessage('up')`
const childFile = fileURLToPath(new URL('../../test/child.mjs', import.meta.url))

const workers: Worker[] = []
const children: ChildProcess[] = []
const ports: MessagePort[] = []
const dispose = async (): Promise<void> => {
  for (const port of ports.splice(0)) port.close()
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
}
afterEach(dispose)

async function startWorker(): Promise<Worker> {
  const worker = new Worker(ECHO, { eval: true })
  workers.push(worker)
  await once(worker, 'message')
  return worker
}

async function startChild(options: ForkOptions = {}): Promise<ChildProcess> {
  const child = fork(childFile, { execArgv: [], ...options })
  children.push(child)
  await once(child, 'message')
  return child
}

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

const post = (end: MessagePort | Worker | ChildProcess, message: unknown): unknown =>
  'postMessage' in end ? end.postMessage(message) : end.send(message as object)

// Threads and processes answer each message with the same; one of each serves all cells of the table and all cases of the contract.
const echoes = new Map<string, Promise<Worker | ChildProcess>>()
afterAll(async () => {
  for (const echo of await Promise.all(echoes.values()))
    if (echo instanceof Worker) await echo.terminate()
    else echo.kill('SIGKILL')
})

function shared(name: string, start: () => Promise<Worker | ChildProcess>): Promise<Worker | ChildProcess> {
  const started = echoes.get(name) ?? start().finally(() => [workers.pop(), children.pop()])
  echoes.set(name, started)
  return started
}

async function echoing(name: string, start: () => Promise<Worker | ChildProcess>): Promise<RunningBus> {
  const end = await shared(name, start)
  const got: Content[] = []
  const onMessage = (content: Content): unknown => got.push(content)
  end.on('message', onMessage)
  return {
    target: end,
    name: 'message',
    publish: (content) => post(end, content),
    got,
    touched: [end],
    dispose: () => end.off('message', onMessage),
  }
}

faultTable('Worker', () => echoing('Worker', startWorker))
faultTable('ChildProcess', () => echoing('ChildProcess', startChild))

faultTable('MessagePort', () => {
  const { port1, port2 } = new MessageChannel()
  const got: Content[] = []
  port2.on('message', (content: Content) => got.push(content))
  const [publish, delivery] = [bindChannel(port1), bindChannel(port2)]
  return {
    target: bindBus({
      kind: 'both ends of a channel',
      clones: true,
      seams: { publish: publish.seams.publish, delivery: delivery.seams.delivery },
    }),
    name: 'message',
    publish: (content) => port1.postMessage(content),
    got,
    touched: [port1, port2],
    dispose: () => port1.close(),
  }
})

let channels = 0
faultTable('BroadcastChannel', () => {
  const name = `orders-${process.pid}-${(channels += 1)}`
  const [here, there] = [new BroadcastChannel(name), new BroadcastChannel(name)]
  const got: Content[] = []
  there.onmessage = (event) => got.push((event as { data: Content }).data)
  const [publish, delivery] = [bindChannel(here), bindChannel(there)]
  return {
    target: bindBus({
      kind: 'two ends of a broadcast channel',
      clones: true,
      seams: { publish: publish.seams.publish, delivery: delivery.seams.delivery },
    }),
    name,
    publish: (content) => here.postMessage(content),
    got,
    touched: [here, there],
    dispose: () => {
      here.close()
      there.close()
    },
  }
})

describe('a held message', () => {
  it('is what it was when it was posted, and its sender has given away what moves', async () => {
    const clock = manualClock()
    const link = channel()
    const moved = new MessageChannel()
    const message = { n: 1, bytes: new Uint8Array([1, 2, 3]), port: moved.port1 }
    await using _delay = await inject(delayEvents({ delayMs: 10, seam: 'publish' }), link.near, { clock })
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
    const injection = await inject(delayEvents({ delayMs: 10 }), far, { clock })
    near.postMessage('a', [new MessageChannel().port1])
    await vi.waitFor(() => expect(injection.held).toBe(1))
    expect([heard, events]).toEqual([[], []])
    await clock.advance(10)
    expect([heard, events]).toEqual([['a'], [1]])
    await injection.rollback()
  })

  it.each(['publish', 'delivery'] as const)('is held at %s of a worker and of a process', async (seam) => {
    for (const end of [await startWorker(), await startChild()]) {
      const injection = await inject(delayEvents({ delayMs: 600_000, seam }), end)
      const heard: unknown[] = []
      end.on('message', (message) => heard.push(message))
      post(end, { a: 1 })
      await vi.waitFor(() => expect(injection.held).toBe(1))
      expect(heard).toEqual([])
      await injection.rollback()
      await vi.waitFor(() => expect(heard).toEqual([{ a: 1 }]))
    }
  })

  it('keeps no message of another end waiting', async () => {
    const [one, other] = [channel(), channel()]
    const delay = await inject(delayEvents({ delayMs: 600_000, seam: 'publish' }), () => [one.near, other.near], {
      limit: 1,
    })
    one.near.postMessage('held')
    other.near.postMessage('at once')
    await vi.waitFor(() => expect(other.heard).toEqual(['at once']))
    expect([one.heard, delay.held]).toEqual([[], 1])
    await delay.rollback()
  })
})

describe('a lost message', () => {
  it('is lost quietly: its sender notices nothing, and a port that travelled with it closes', async () => {
    const link = channel()
    const { port1, port2 } = new MessageChannel()
    const closed = once(port2, 'close')
    const drop = await inject(dropEvents({ seam: 'publish' }), link.near)
    link.near.postMessage('lost', [port1])
    await closed
    await drop.rollback()
    await drained(link)
    expect(link.heard).toEqual(['last'])
  })

  it('of a process answers its callback as if it had been written', async () => {
    const child = await startChild()
    await using _drop = await inject(dropEvents({ seam: 'publish' }), child)
    expect(await new Promise((resolve) => expect(child.send('lost', resolve)).toBe(true))).toBe(null)
  })

  it('is chosen by a predicate of the message', async () => {
    const link = channel()
    const drop = await inject(dropEvents(), link.far, { only: (args) => (args[0] as number) % 2 === 0 })
    for (let i = 0; i < 6; i += 1) link.near.postMessage(i)
    await vi.waitFor(() => expect(link.heard).toEqual([1, 3, 5]))
    await drop.rollback()
    expect(drop.seen).toBe(3)
  })

  it('does not keep a port from closing', async () => {
    const { near, far } = channel()
    const closed = once(far, 'close')
    const injection = await inject(dropEvents(), far)
    near.postMessage(1)
    await vi.waitFor(() => expect(injection.affected).toBe(1))
    near.close()
    await closed
    await injection.rollback()
  })
})

describe('a duplicated message', () => {
  it('is followed by copies of its own, also when bytes move', async () => {
    const link = channel()
    const twice = await inject(duplicateEvents({ copies: 2, seam: 'publish' }), link.near)
    const bytes = new Uint8Array([7])
    link.near.postMessage(bytes, [bytes.buffer])
    await twice.rollback()
    await drained(link)
    expect([bytes.byteLength, link.heard]).toEqual([
      0,
      [7, 7, 7].map((n) => new Uint8Array([n])).concat('last' as never),
    ])
  })

  it('is another object each time where it is heard', async () => {
    const link = channel()
    const twice = await inject(duplicateEvents(), link.far)
    link.near.postMessage({ n: 1 })
    await vi.waitFor(() => expect(link.heard).toEqual([{ n: 1 }, { n: 1 }]))
    expect(link.heard[0]).not.toBe(link.heard[1])
    await twice.rollback()
  })

  it('is no message that moves a port: that one passes, uncounted', async () => {
    const link = channel()
    const twice = await inject(duplicateEvents({ seam: 'publish' }), link.near)
    const { port1 } = new MessageChannel()
    link.near.postMessage({ port1 }, [port1])
    expect(twice.seen).toBe(0)
    await twice.rollback()
    await drained(link)
    expect(link.heard).toHaveLength(2)
  })
})

it.each([duplicateEvents({ seam: 'publish' }), delayEvents({ delayMs: 10, seam: 'publish' }), failCloning()])(
  'clones no message that is not affected: $name',
  async (fault) => {
    const link = channel()
    const injection = await inject<ChannelTarget>(fault, link.near, { rate: 0 })
    const clones = vi.spyOn(globalThis, 'structuredClone')
    for (let n = 0; n < 100; n += 1) link.near.postMessage({ n })
    expect([clones.mock.calls.length, injection.seen, injection.affected]).toEqual([0, 100, 0])
    clones.mockRestore()
    await injection.rollback()
  },
)

it.each([
  [corruptEvents({ damage: 'truncate', at: 'name', seam: 'publish' }), { id: 7, name: 'abcd' }, { id: 7, name: 'ab' }],
  [corruptEvents({ damage: 'set', at: 'id', value: -8, seam: 'publish' }), { id: 7 }, { id: -8 }],
  [corruptEvents({ damage: 'set', at: 'nowhere', value: 1, seam: 'publish' }), { id: 7 }, { id: 7 }],
])('damages a message on its way, and its sender keeps the right one', async (fault, message, expected) => {
  const link = channel()
  const before = structuredClone(message)
  const corrupt = await inject(fault, link.near)
  link.near.postMessage(message)
  await corrupt.rollback()
  await drained(link)
  expect([message, link.heard]).toEqual([before, [expected, 'last']])
})

describe('a message that cannot be cloned', () => {
  it('throws a real DataCloneError at its sender, and moves nothing', async () => {
    const link = channel()
    const bytes = new Uint8Array([1])
    await using fail = await inject(failCloning(), link.near)
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
      'eventbus/fail-cloning',
      1,
    ])
    expect(fail.account).toMatchObject({ sent: 1, dropped: 1, delivered: 0 })
  })

  it('is heard as messageerror', async () => {
    // Node.js reads from a worker only while somebody listens for messages.
    const worker = (await startWorker()).on('message', () => undefined)
    await using _worker = await inject(failCloning({ seam: 'delivery' }), worker)
    const failed = once(worker, 'messageerror')
    worker.postMessage(1)
    expect(await failed).toMatchObject([{ name: 'DataCloneError' }])
    const { near, far } = channel()
    await using _port = await inject(failCloning({ seam: 'delivery' }), far)
    const heard = once(far, 'messageerror')
    near.postMessage(1)
    expect(await heard).toMatchObject([{ name: 'DataCloneError' }])
  })

  it('is no message of a bus that clones nothing', async () => {
    await expect(inject(failCloning(), new EventEmitter() as never)).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
    })
  })
})

describe('the ends of a target', () => {
  it('are found when they are replaced', async () => {
    const clock = manualClock()
    let current = await startWorker()
    const drop = await inject(dropEvents({ seam: 'publish' }), () => current, { clock })
    current = await startWorker()
    await clock.advance(20)
    current.postMessage(1)
    expect(drop.affected).toBe(1)
    await drop.rollback()
  })

  it('must be open, one at least', async () => {
    const worker = await startWorker()
    await worker.terminate()
    const child = await startChild()
    child.disconnect()
    for (const target of [worker, child, () => undefined, () => [worker]] as const)
      await expect(inject(dropEvents(), target)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
  })

  it('are not touched where the blast radius leaves their messages out', async () => {
    const { near } = channel()
    const { postMessage } = near
    const injection = await inject(delayEvents({ delayMs: 10, seam: 'publish' }), near, { only: 'other' })
    expect(near.postMessage).toBe(postMessage)
    await injection.rollback()
  })

  it('are no processes without a channel, whose events are left alone', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'])
    children.push(child)
    await expect(inject(dropEvents(), child as BusTarget)).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
  })

  it('tell of all but their messages as in health', async () => {
    const worker = new Worker("throw new Error('of the application')", { eval: true })
    const events: string[] = []
    for (const event of ['online', 'error', 'exit']) worker.on(event, () => events.push(event))
    const drop = await inject(dropEvents(), worker)
    await once(worker, 'exit').catch(() => once(worker, 'exit'))
    expect([events, drop.seen]).toEqual([['online', 'error', 'exit'], 0])
    await drop.rollback()
    const child = await startChild()
    const dropped = await inject(dropEvents(), child)
    const gone = once(child, 'exit')
    child.disconnect()
    expect(await gone).toEqual([0, null])
    expect(dropped.seen).toBe(0)
    await dropped.rollback()
  })
})

/** An end of an IPC channel, as its messages leave it. */
class Ipc extends EventEmitter {
  readonly pid = 1
  readonly connected = true
  readonly sent: unknown[] = []
  send(message: unknown): boolean {
    this.sent.push(message)
    return true
  }
  kill(): boolean {
    return true
  }
}

describe('an IPC channel', () => {
  it('carries the messages by which Node.js runs cluster untouched', async () => {
    const ipc = new Ipc()
    const injection = await inject(dropEvents({ seam: 'publish' }), ipc)
    ipc.send({ cmd: 'NODE_HANDLE' })
    ipc.send({ cmd: 'mine' })
    expect([ipc.sent, injection.seen]).toEqual([[{ cmd: 'NODE_HANDLE' }], 1])
    await injection.rollback()
  })

  it('carries a message that throws when it is looked at', async () => {
    const message = new Proxy(
      {},
      {
        has() {
          throw new Error('a trap of the application')
        },
      },
    )
    const ipc = new Ipc()
    const injection = await inject(dropEvents({ seam: 'publish' }), ipc, { rate: 0 })
    expect(ipc.send(message)).toBe(true)
    expect(ipc.sent[0] === message).toBe(true)
    await injection.rollback()
  })

  it('carries a damaged copy of what is more than plain data', async () => {
    for (const message of [{ id: 1, at: new Date(0) }, Object.freeze({ id: 1, note: undefined })]) {
      const ipc = new Ipc()
      const injection = await inject(corruptEvents({ damage: 'set', at: 'id', value: -2, seam: 'publish' }), ipc)
      ipc.send(message)
      await injection.rollback()
      expect([message.id, ipc.sent]).toMatchObject([1, [{ id: -2 }]])
    }
  })
})

it('fails a listener as one of the application fails, with an uncaught exception, and the next message comes', async () => {
  const worker = await startWorker()
  const heard: unknown[] = []
  worker.on('message', (message) => heard.push(message))
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  try {
    const uncaught = once(process, 'uncaughtException')
    const fail = await inject(failListeners({ message: 'injected' }), worker, { limit: 1 })
    worker.postMessage(1)
    worker.postMessage(2)
    expect(await uncaught).toMatchObject([{ message: 'injected' }, 'uncaughtException'])
    await vi.waitFor(() => expect(heard).toEqual([2]))
    await fail.rollback()
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of before) process.on('uncaughtException', listener)
  }
})

describe('overlapping faults', () => {
  /** Sends through delay, drop, duplicate and reorder, in this order from the caller to the wire. */
  async function flood(count: number, rates: readonly [number, number, number, number], seed: number): Promise<void> {
    const clock = manualClock()
    const link = channel()
    const how = (rate: number) => ({ clock, rate, seed, leaseMs: 600_000 })
    const seam = 'publish'
    const reorder = await inject(reorderEvents({ seam, window: 3, withinMs: 500 }), link.near, how(rates[3]))
    const duplicate = await inject(duplicateEvents({ seam }), link.near, how(rates[2]))
    const drop = await inject(dropEvents({ seam }), link.near, how(rates[1]))
    const delay = await inject(delayEvents({ seam, delayMs: 100 }), link.near, how(rates[0]))
    const all = [delay, drop, duplicate, reorder]
    for (let i = 0; i < count; i += 1) link.near.postMessage(i)

    // What one layer lets go is what the next one sees, at any instant.
    expect(delay.seen).toBe(count)
    expect(drop.seen).toBe(count - delay.held)
    expect(duplicate.seen).toBe(drop.passed)
    expect(reorder.seen).toBe(duplicate.seen + duplicate.affected)
    for (const { account } of all)
      expect((account['sent'] ?? 0) + (account['duplicated'] ?? 0)).toBe(
        (account['delivered'] ?? 0) + (account['dropped'] ?? 0) + (account['held'] ?? 0),
      )
    await clock.advance(1_000)
    expect([delay.held, drop.seen, duplicate.seen, reorder.held]).toEqual([0, count, drop.passed, 0])
    await Promise.all(all.map((one) => one.rollback()))
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
      { numRuns: Number(process.env['FC_RUNS'] ?? 30) },
    ))

  it('balance exactly over 20,000 messages', () => flood(20_000, [0.2, 0.1, 0.1, 0.1], 1))
  it('keep the order of 20,000 messages that none of them reorders', () => flood(20_000, [0.2, 0.1, 0.1, 0], 2))
})

describe('what is held when its end closes', () => {
  it.each([
    [
      'a port whose other end closed',
      () => {
        const { near, far } = channel()
        return { near, far, close: (): void => near.close() }
      },
    ],
    [
      'a channel that was closed',
      () => {
        const [near, far] = [new BroadcastChannel('held'), new BroadcastChannel('held')]
        return {
          near,
          far,
          close: (): void => {
            near.close()
            far.close()
          },
        }
      },
    ],
  ])('is lost, and never heard afterwards: %s', async (_name, open) => {
    const { near, far, close } = open()
    const heard = vi.fn()
    far.addEventListener('message', heard)
    if ('start' in far) far.start()
    const clock = manualClock()
    const injection = await inject(delayEvents({ delayMs: 10 }), far, { clock })
    near.postMessage(1)
    await vi.waitFor(() => expect(injection.held).toBe(1))
    const closed = 'start' in far ? new Promise((resolve) => far.addEventListener('close', resolve)) : undefined
    close()
    await closed
    await clock.advance(10)
    expect(heard).not.toHaveBeenCalled()
    expect(injection.account).toMatchObject({ delivered: 0, dropped: 1, lost: 1 })
    await injection.rollback()
    if ('listenerCount' in far) expect(far.listenerCount('close')).toBeLessThanOrEqual(1)
  })

  it.each([delayEvents({ delayMs: 10, seam: 'publish' }), reorderEvents({ withinMs: 10, seam: 'publish' })])(
    'is lost at a channel where it was posted: $name',
    async (fault) => {
      const posting = new BroadcastChannel('held')
      const clock = manualClock()
      const injection = await inject(fault, posting, { clock })
      posting.postMessage(1)
      posting.close()
      await clock.advance(10)
      expect(injection.account).toMatchObject({ dropped: 1, lost: 1 })
      await injection.rollback()
    },
  )

  it('is lost on a worker that has exited', async () => {
    const worker = await startWorker()
    const clock = manualClock()
    const injection = await inject(delayEvents({ delayMs: 10, seam: 'publish' }), worker, { clock })
    worker.postMessage(1)
    await worker.terminate()
    await clock.advance(10)
    expect(injection.account).toMatchObject({ dropped: 1, lost: 1 })
    await injection.rollback()
  })

  it('is lost on a process whose channel is closed, which its sender hears', async () => {
    const child = await startChild()
    const clock = manualClock()
    const injection = await inject(delayEvents({ delayMs: 10, seam: 'publish' }), child, { clock })
    const told = new Promise<unknown>((resolve) => child.send({ n: 1 }, resolve))
    child.disconnect()
    await clock.advance(10)
    expect(await told).toMatchObject({ code: 'ERR_IPC_CHANNEL_CLOSED' })
    expect(injection.account).toMatchObject({ dropped: 1, lost: 1 })
    await injection.rollback()
  })

  /** Kills a process, and waits in this very turn until it has closed its end of the channel: a zombie without other threads has. */
  function kill({ pid = 0 }: ChildProcess): void {
    process.kill(pid, 'SIGKILL')
    while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ') || readdirSync(`/proc/${pid}/task`).length > 1);
  }

  it
    .runIf(process.platform === 'linux')
    .each([delayEvents({ delayMs: 60_000, seam: 'publish' }), reorderEvents({ withinMs: 60_000, seam: 'publish' })])(
    'ends no sender of a process that has died, though nobody has heard of that yet: $name',
    async (fault) => {
      const child = await startChild()
      const injection = await inject(fault, child)
      const told = new Promise<unknown>((resolve) => child.send({ n: 1 }, resolve))
      child.send({ n: 2 })
      kill(child)
      const gone = once(child, 'close')
      await injection.rollback()
      expect(await told).toMatchObject({ code: 'EPIPE' })
      await gone
    },
  )

  it.runIf(process.platform === 'linux')(
    'emits no error for a copy to a process that has died, whose sender hears of the original',
    async () => {
      const child = await startChild()
      const injection = await inject(duplicateEvents({ seam: 'publish' }), child)
      kill(child)
      const gone = once(child, 'close')
      expect(await new Promise<unknown>((resolve) => child.send({ n: 1 }, resolve))).toMatchObject({ code: 'EPIPE' })
      await gone
      await injection.rollback()
    },
  )
})

describe('a function as the target of a channel', () => {
  it.each<[string, unknown, string]>([
    [
      'an async function',
      () => Promise.reject(new Error('away')),
      'got a promise. Pass a function that is not `async`.',
    ],
    ['a class', EventTarget, 'got a class'],
    ['a bound class', Function.prototype.bind.call(Worker, undefined), 'got a class'],
  ])('is refused if it is %s', async (_what, target, words) => {
    await expect(inject(delayEvents({ delayMs: 1 }), bindChannel(target as ChannelTarget))).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining(words) as string,
    })
  })
})

it('holds a message to a child process that shares its parts, without walking all ways to them', async () => {
  const child = await startChild({ serialization: 'advanced' })
  let shared: unknown = 'text'
  for (let level = 0; level < 40; level += 1) shared = { left: shared, right: shared }
  const injection = await inject(delayEvents({ seam: 'publish', delayMs: 60_000 }), child)
  child.send(shared as object)
  expect(injection.account).toMatchObject({ held: 1 })
  await injection.rollback()
})
