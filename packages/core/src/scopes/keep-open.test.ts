import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createChaos } from '../controller/create-chaos.js'
import { defineFault } from '../fault/define-fault.js'
import { inject, journal } from '../injection/inject.js'
import { keepScopesOpen } from './keep-open.js'
import { openScope, runInScope, withScope } from './scope.js'
import { needScopes } from './state.js'

class Store {
  read(): string {
    return 'content'
  }
  /** What a request does, on behalf of nobody. */
  request(): string {
    return this.read()
  }
}

const refuseReads = defineFault({
  name: 'test/refuse-reads',
  kind: 'standing',
  summary: 'Has reads refused.',
  options: {},
  target: { expects: 'a store', accepts: (value) => value instanceof Store },
  inject(store: Store, _options, context) {
    context.patch(store, 'read', (below) => {
      const operation = context.operation('read')
      return function read(this: Store, ...args: unknown[]): unknown {
        return operation.shouldInject(args) ? 'refused' : below.call.apply(this, args)
      }
    })
  },
})

const scopeRequests = defineFault({
  name: 'test/scope-requests',
  kind: 'standing',
  summary: 'Opens a scope for each request.',
  options: {},
  target: { expects: 'a store', accepts: (value) => value instanceof Store },
  inject(store: Store, _options, context) {
    context.patch(
      store,
      'request',
      (below) =>
        function request(this: Store): unknown {
          return runInScope(openScope('request', { numbered: false }), () => below.call.call(this) as unknown)
        },
    )
  },
})

const stopAll = (): Promise<unknown> => createChaos({ environment: 'test' }).stopAll()
const isOpen = (store: Store): boolean => store.request !== Store.prototype.request

/** The warnings of all faults from now on. */
function warnings(): readonly string[] {
  const messages: string[] = []
  onTestFinished(
    journal.follow((entry) => {
      if (entry.type === 'warning') messages.push(entry.message)
    }),
  )
  return messages
}

describe('what is kept open', () => {
  it('is gone after `stopAll`, and in force again for the next fault with a scope', async () => {
    const store = new Store()
    const warned = warnings()
    const kept = await keepScopesOpen(() => inject(scopeRequests(), store))
    onTestFinished(() => kept.stop())
    await stopAll()
    expect(isOpen(store)).toBe(false)
    for (let round = 0; round < 2; round += 1) {
      const injection = await inject(refuseReads(), store, { scope: 'request' })
      expect([store.request(), store.read()]).toEqual(['refused', 'content'])
      expect(injection).toMatchObject({ seen: 1, affected: 1 })
      expect(warned).toEqual([])
      await stopAll()
      expect(isOpen(store)).toBe(false)
    }
    await kept.stop()
    const leave = needScopes()
    expect(isOpen(store)).toBe(false)
    leave()
  })

  it('ends when it is stopped right after it was opened again', async () => {
    const store = new Store()
    const kept = await keepScopesOpen(() => inject(scopeRequests(), store))
    await stopAll()
    onTestFinished(needScopes())
    expect(isOpen(store)).toBe(true)
    await kept.stop()
    expect(isOpen(store)).toBe(false)
  })

  it('is tried again, if it could not be opened', async () => {
    const store = new Store()
    let isBroken = false
    const kept = await keepScopesOpen(async () => {
      if (isBroken) throw new Error('no room')
      return inject(scopeRequests(), store)
    })
    onTestFinished(() => kept.stop())
    await stopAll()
    isBroken = true
    const warned = once(process, 'warning')
    needScopes()()
    expect((await warned)[0]).toMatchObject({
      name: 'ChaosWarning',
      message: expect.stringContaining('no room') as string,
    })
    isBroken = false
    needScopes()()
    expect(isOpen(store)).toBe(true)
  })

  it('is not tried again when there is nothing left to open scopes for', async () => {
    const store = new Store()
    let tries = 0
    const kept = await keepScopesOpen(
      () => inject(scopeRequests(), store),
      () => {
        tries += 1
        return Promise.resolve(undefined)
      },
    )
    await stopAll()
    for (let round = 0; round < 3; round += 1) {
      needScopes()()
      await nextTurn()
    }
    expect(tries).toBe(1)
    await kept.stop()
  })
})

describe('a fault for a scope', () => {
  it('warns once if its target is called while nothing opens scopes', async () => {
    const store = new Store()
    const warned = warnings()
    const injection = await inject(refuseReads(), store, { scope: 'request' })
    onTestFinished(async () => {
      await injection.rollback()
    })
    expect([store.read(), store.read()]).toEqual(['content', 'content'])
    expect(warned).toEqual([expect.stringMatching(/`read` was made in no scope.*`request`.*httpScopes/)])
  })

  it('says nothing if a scope has been entered since, or was passed itself', async () => {
    const store = new Store()
    const warned = warnings()
    const named = await inject(refuseReads(), store, { scope: 'a test' })
    withScope('another test', () => store.read())
    store.read()
    expect(warned).toEqual([])
    const passed = await withScope('a test', (scope) => inject(refuseReads(), store, { scope }))
    await named.rollback()
    store.read()
    expect(warned).toEqual([])
    await passed.rollback()
  })
})
