import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { createChaos, currentScope, inject, withScope } from '@chaos/core'
import { needScopes } from '@chaos/core/authoring'
import { manualClock, shapeDifference, shapeOf } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'
import { duplicateEvents } from '../faults/duplicate-events.js'
import { carryScopes, type CarriedScopes, type CarryScopesOptions } from './carry-scopes.js'
import { eventScopes } from './event-scopes.js'

interface Channel {
  readonly near: MessagePort
  readonly far: MessagePort
  /** What arrived at the far end, and in which scope. */
  readonly got: unknown[]
}

function channel(): Channel {
  const { port1: near, port2: far } = new MessageChannel()
  onTestFinished(() => near.close())
  const got: unknown[] = []
  far.on('message', (message) => got.push([message, currentScope()?.path]))
  return { near, far, got }
}

async function carry(end: MessagePort | Worker, options?: CarryScopesOptions): Promise<CarriedScopes> {
  const carried = await carryScopes(end, options)
  onTestFinished(() => carried.stop())
  return carried
}

async function pair({ near, far }: Channel): Promise<readonly [CarriedScopes, CarriedScopes]> {
  const ends = [await carry(near, { name: 'orders' }), await carry(far, { name: 'orders' })] as const
  await Promise.all(ends.map(({ paired }) => paired))
  return ends
}

const post = (port: MessagePort | Worker, scope: string, message: unknown): void =>
  withScope(scope, () => port.postMessage(message))

describe('carryScopes', () => {
  it('has listeners run in the scope of the sender, once both ends have called it', async () => {
    onTestFinished(needScopes())
    const opened = channel()
    const { near, far, got } = opened
    await carry(near, { name: 'orders' })
    post(near, 'too early', 1)
    const other = await carry(far, { name: 'orders' })
    await other.paired
    // The near end knows by now, too: it has answered.
    await vi.waitFor(async () => {
      got.length = 0
      post(near, 'order 7', { id: 2 })
      await once(far, 'message')
      expect(got.at(-1)).toEqual([{ id: 2 }, expect.stringMatching(/^order 7/)])
    })
    near.postMessage(3)
    await once(far, 'message')
    expect(got.at(-1)).toEqual([3, undefined])
  })

  it('shows no envelope to an end that has not called it, or has another name', async () => {
    onTestFinished(needScopes())
    const [one, two] = [channel(), channel()]
    await carry(one.near, { name: 'orders' })
    await carry(two.far, { name: 'invoices' })
    await nextTurn()
    post(one.near, 'order 7', 1)
    await once(one.far, 'message')
    post(two.near, 'order 7', 2)
    await once(two.far, 'message')
    expect([one.got, two.got]).toEqual([[[1, undefined]], [[2, undefined]]])
  })

  it.each([
    ['stop', (near: CarriedScopes) => near.stop()],
    ['stopAll', () => createChaos({ environment: 'test' }).stopAll()],
  ] as const)(
    'loses no message and shows no envelope when one end ends by %s, and leaves it as it was',
    async (_, end) => {
      onTestFinished(needScopes())
      const opened = channel()
      const { near, far, got } = opened
      const back: unknown[] = []
      near.on('message', (message) => back.push([message, currentScope()?.path]))
      // Before Node.js 24, Node.js keeps the store of an AsyncLocalStorage on a port in whose callback a scope was entered.
      for (const port of [near, far]) port.once('message', () => withScope('first', () => undefined))
      post(near, 'first', 0)
      post(far, 'first', 0)
      await vi.waitFor(() => expect([got, back].map(({ length }) => length)).toEqual([1, 1]))
      got.length = back.length = 0
      const before = [shapeOf(near), shapeOf(far)]
      const [carried, other] = await pair(opened)
      for (let id = 0; id < 100; id += 1) {
        post(near, 'there', id)
        post(far, 'back', id)
      }
      await end(carried)
      post(near, 'there', 'after')
      post(far, 'back', 'after')
      await vi.waitFor(() => expect([got, back].map(({ length }) => length)).toEqual([101, 101]))
      for (const [id, entry] of got.entries())
        expect(entry).toEqual(id === 100 ? ['after', undefined] : [id, expect.stringMatching(/^there/)])
      expect(back.map((entry) => (entry as readonly unknown[])[0])).toEqual([...Array(100).keys(), 'after'])
      await other.stop()
      expect([near, far].map((port, at) => shapeDifference(before[at] as never, shapeOf(port)))).toEqual([
        undefined,
        undefined,
      ])
    },
  )

  it('keeps transferred objects, and shows messages to faults, which decide in the scope of the sender', async () => {
    onTestFinished(needScopes())
    const opened = channel()
    const { near, far, got } = opened
    await pair(opened)
    const clock = manualClock()
    const injections = [
      await inject(dropEvents({ where: { id: 1 } }), far, { scope: 'test 1' }),
      await inject(duplicateEvents({ where: { id: 2 } }), far, { scope: 'test 2', clock }),
      await inject(delayEvents({ delayMs: 10, where: { id: 3 } }), far, { scope: 'test 3', clock }),
      await inject(delayEvents({ delayMs: 10, seam: 'publish' }), near, { scope: 'test 4', clock }),
    ]
    onTestFinished(async () => {
      for (const injection of injections) await injection.rollback()
    })
    const bytes = new ArrayBuffer(4)
    for (const id of [1, 2, 3, 4]) post(near, `test ${id}`, { id })
    withScope('test 5', () => near.postMessage({ id: 5, bytes }, [bytes]))
    expect(bytes.byteLength).toBe(0)
    await vi.waitFor(() => expect(got.length).toBe(3))
    await clock.advance(10)
    await vi.waitFor(() => expect(got.length).toBe(5))
    expect(injections.map(({ affected }) => affected)).toEqual([1, 1, 1, 1])
    expect(got).toEqual(
      expect.arrayContaining([
        [{ id: 2 }, 'test 2'],
        [{ id: 3 }, 'test 3'],
        [{ id: 4 }, 'test 4'],
        [{ id: 5, bytes: new ArrayBuffer(4) }, 'test 5'],
      ]),
    )
  })

  it('carries the scope to a worker and back, with its path, and nests the scopes of events', async () => {
    onTestFinished(needScopes())
    const core = new URL('../../../core/dist/', import.meta.url).href
    const eventbus = new URL('../../dist/index.js', import.meta.url).href
    const worker = new Worker(
      `(async () => {
        const { currentScope } = await import('${core}index.js')
        const { needScopes } = await import('${core}authoring.js')
        const { carryScopes } = await import('${eventbus}')
        const { parentPort } = require('node:worker_threads')
        needScopes()
        const { paired } = await carryScopes(parentPort)
        parentPort.on('message', (message) => parentPort.postMessage([message, currentScope()?.path]))
        await paired
        parentPort.postMessage('ready')
      })()`,
      { eval: true },
    )
    onTestFinished(async () => {
      await worker.terminate()
    })
    const scopes = await eventScopes(worker)
    onTestFinished(() => scopes.stop())
    const carried = await carry(worker)
    await once(worker, 'message')
    await carried.paired
    const got: unknown[] = []
    worker.on('message', (message: unknown) => got.push([message, currentScope()?.path]))
    withScope('an order', () => withScope('checkout', () => worker.postMessage('hello')))
    await vi.waitFor(() => expect(got).toEqual([[['hello', 'an order > checkout'], 'an order > checkout > message']]))
  })

  it('carries again after `stopAll`, as soon as somebody needs scopes', async () => {
    const opened = channel()
    const { near, far, got } = opened
    await pair(opened)
    await createChaos({ environment: 'test' }).stopAll()
    onTestFinished(needScopes())
    await vi.waitFor(async () => {
      got.length = 0
      post(near, 'order 7', 1)
      await once(far, 'message')
      expect(got).toEqual([[1, expect.stringMatching(/^order 7/)]])
    })
  })

  it('is paired also where `stopAll` came before the other end', async () => {
    const { near, far } = channel()
    const { paired } = await carry(near, { name: 'orders' })
    await createChaos({ environment: 'test' }).stopAll()
    onTestFinished(needScopes())
    await carry(far, { name: 'orders' })
    await paired
  })

  it('has nothing to say about a thread that is gone', async () => {
    const worker = new Worker('setInterval(() => undefined, 1_000)', { eval: true })
    await once(worker, 'online')
    await carry(worker)
    await createChaos({ environment: 'test' }).stopAll()
    await worker.terminate()
    const warned: unknown[] = []
    const hear = (warning: Error): unknown => warned.push(warning)
    process.on('warning', hear)
    onTestFinished(() => void process.off('warning', hear))
    for (let round = 0; round < 2; round += 1) {
      needScopes()()
      await nextTurn()
    }
    expect(warned).toEqual([])
  })

  it('asks for the name of a port', async () => {
    const { near } = channel()
    await expect(carryScopes(near)).rejects.toMatchObject({ code: 'CHAOS_INVALID_OPTION' })
  })
})
