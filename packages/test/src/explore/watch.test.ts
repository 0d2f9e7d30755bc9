import { EventEmitter } from 'node:events'
import { delayCalls, failAfterCall, limitRate, refuseCalls } from '@chaos/adapter'
import { inject, journal, withScope, type Fault } from '@chaos/core'
import { needScopes, systemClock } from '@chaos/core/authoring'
import { delayEvents, dropEvents, duplicateEvents } from '@chaos/eventbus'
import { describe, expect, it } from 'vitest'
import { kindsOf, type Kind } from './kinds.js'
import { assertFit, watchCalls } from './watch.js'

class Service {
  readonly #keys = ['1']
  async read(key: string): Promise<string> {
    return Promise.resolve(key)
  }
  async write(key: string): Promise<string> {
    return this.read(key)
  }
  find(key: string, done: (error: null, value: string) => void): void {
    done(null, key)
  }
  get size(): number {
    return this.#keys.length
  }
}

const serviceKinds: Fault<object>[] = [
  refuseCalls(),
  failAfterCall(),
  refuseCalls({ methods: ['find', 'read'] }),
  refuseCalls({ methods: 'size', answers: 'value' }),
  delayCalls({ delayMs: 1 }),
  limitRate({ calls: 2, perMs: 60_000 }),
  failAfterCall({ methods: 'w*' }),
]

async function useService(service: Service): Promise<void> {
  await withScope('a', () => service.write('1'))
  await service.read('2')
  service.find('3', () => undefined)
  withScope('b', () => {
    service.find('4', () => undefined)
  })
  expect(service.size).toBe(1)
}

const busKinds = [dropEvents(), duplicateEvents({ seam: 'publish' }), delayEvents({ delayMs: 1 })]

function useBus(bus: EventEmitter): void {
  bus.on('order', () => undefined).on('order', () => bus.emit('paid', 1))
  bus.emit('order', { id: 1 })
  withScope('a', () => bus.emit('order', { id: 2 }))
}

/** What each kind sees: operation, scope and first argument. */
type Seen = Record<string, unknown[]>
const textOf = (operation: string | symbol, scope: string | undefined, args: ArrayLike<unknown>): unknown => [
  String(operation),
  scope,
  args[0],
]

async function seenAlone<Target extends object>(
  kinds: readonly Kind[],
  make: () => Target,
  use: (target: Target) => void | Promise<void>,
): Promise<Seen> {
  const seen: Seen = {}
  for (const { name, fault } of kinds) {
    const target = make()
    const own: unknown[] = (seen[name] = [])
    const watch = await inject(fault, target, {
      rate: 0,
      onSeen: ({ operation, scope, args }) => own.push(textOf(operation, scope?.path, args)),
    })
    await use(target)
    await watch.rollback()
  }
  return seen
}

async function seenTogether<Target extends object>(
  kinds: readonly Kind[],
  make: () => Target,
  use: (target: Target) => void | Promise<void>,
): Promise<Seen> {
  const leaveScopes = needScopes()
  const seen: Seen = Object.fromEntries(kinds.map(({ name }) => [name, []]))
  const target = make()
  const setting = { targets: { target }, clock: systemClock, keyOf: undefined }
  const watches = await watchCalls(kinds, setting, (own, { operation, scope, args }) => {
    for (const { name } of own) seen[name]?.push(textOf(operation, scope?.path, args))
  })
  await use(target)
  for (const watch of watches) await watch.rollback()
  leaveScopes()
  return seen
}

describe('the watch of a run', () => {
  it('has each kind see the calls that it sees alone', async () => {
    const kinds = kindsOf({ faults: { target: serviceKinds } }, ['target'])
    const together = await seenTogether(kinds, () => new Service(), useService)
    expect(together).toEqual(await seenAlone(kinds, () => new Service(), useService))
    expect(Object.values(together).map(({ length }) => length)).toEqual([3, 3, 4, 1, 3, 1, 1])
  })

  it('has each kind see the events that it sees alone', async () => {
    const kinds = kindsOf({ faults: { target: busKinds } }, ['target'])
    const together = await seenTogether(kinds, () => new EventEmitter(), useBus)
    expect(together).toEqual(await seenAlone(kinds, () => new EventEmitter(), useBus))
    expect(Object.values(together).map(({ length }) => length)).toEqual([4, 4, 4])
  })

  it('is one injection, breaks nothing and leaves nothing behind', async () => {
    const service = new Service()
    const [shape, write] = [Reflect.ownKeys(service), service.write]
    const armed: string[] = []
    const unfollow = journal.follow((entry) => {
      if (entry.type === 'armed') armed.push(entry.injection.fault)
    })
    const kinds = kindsOf({ faults: { service: serviceKinds } }, ['service'])
    const [watch] = await watchCalls(
      kinds,
      { targets: { service }, clock: systemClock, keyOf: undefined },
      () => undefined,
    )
    unfollow()
    expect(armed).toEqual(['test/watch-calls'])
    await useService(service)
    expect(watch?.affected).toBe(0)
    await watch?.rollback()
    expect([Reflect.ownKeys(service), service.write]).toEqual([shape, write])
  })

  it('refuses a target as `inject` does', async () => {
    const kinds = kindsOf({ faults: { service: [refuseCalls()] } }, ['service'])
    const setting = { targets: { service: {} }, clock: systemClock, keyOf: undefined }
    await expect(assertFit(kinds, setting)).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
  })
})
