import { executionAsyncId } from 'node:async_hooks'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { manualClock } from '../testing/manual-clock.js'
import { defineFault } from '../fault/define-fault.js'
import { inject } from '../injection/inject.js'
import { processState } from '../process/process-state.js'
import { chainOfScope, scopeOfChain } from './chain.js'
import { scopeOfMember, withScopeMember } from './member.js'
import { currentScope, enterScope, openScope, runInScope, withScope } from './scope.js'
import { areScopesNeeded, needScopes, scopeState } from './state.js'

/** Whether continuations of promises have ids of their own, since an AsyncLocalStorage follows them (on Node.js before 24). */
async function arePromisesFollowed(): Promise<boolean> {
  const first = await Promise.resolve().then(executionAsyncId)
  return first !== (await Promise.resolve().then(executionAsyncId))
}

function isFailed(store: Store): boolean {
  try {
    store.read('a')
    return false
  } catch {
    return true
  }
}

function carried(): void {
  onTestFinished(needScopes())
}

/** A store, and a fault that fails its reads. */
const anyStore = { name: 'store', expects: 'a store', accepts: () => true }
class Store {
  read(_key: string): string {
    return 'value'
  }
}
const failReads = defineFault({
  name: 'test/fail-reads',
  kind: 'standing',
  summary: 'Fails reads.',
  target: anyStore,
  options: {},
  inject(store: Store, _options, { patch, operation }) {
    const reads = operation('read')
    patch(
      store,
      'read',
      (below) =>
        function (this: unknown, ...args: unknown[]) {
          if (reads.shouldInject(args)) throw new Error('failed')
          return Reflect.apply(below.call, this, args) as unknown
        },
    )
  },
})

describe('a scope', () => {
  it('is carried through promises, timers, streams and events while it is needed', async () => {
    carried()
    const seen: (string | undefined)[] = []
    const look = (): number => seen.push(currentScope()?.path)
    await withScope('order 7', async () => {
      await nextTurn()
      look()
      await wait(1)
      look()
      for await (const _ of Readable.from(['a'])) look()
      const bus = new EventEmitter().on('placed', look)
      bus.emit('placed')
    })
    expect(seen).toEqual(Array(4).fill('order 7'))
    expect(currentScope()).toBeUndefined()
  })

  it('nests, and is numbered from the second of its name on', () => {
    carried()
    const paths = withScope('checkout', () => [
      withScope('POST /orders', ({ path }) => path),
      withScope('POST /orders', ({ path }) => path),
      withScope('a > b', ({ path }) => path),
    ])
    expect(paths).toEqual(['checkout > POST /orders', 'checkout > POST /orders #2', 'checkout > a b'])
    expect(withScope('checkout', ({ path }) => path)).toBe('checkout #2')
    expect(openScope('checkout', { numbered: false }).path).toBe('checkout')
  })

  it('is numbered together with others from the 10,001st name within one parent on', () => {
    carried()
    const parent = openScope('a run')
    const name = (given: string): string => openScope(given, { parent }).name
    for (let at = 0; at < 10_000; at += 1) name(`test ${at}`)
    expect(['more', 'others', 'more', 'test 0'].map(name)).toEqual(['more #1', 'others #2', 'more #3', 'test 0 #2'])
  })

  it('goes no deeper than 50', () => {
    carried()
    const descend = (): string => {
      const before = currentScope()
      return withScope('again', (scope) => (scope === before ? scope.path : descend()))
    }
    expect(descend().split(' > ')).toHaveLength(50)
  })

  it('runs its work though nobody needs it, and carries nothing then', async () => {
    expect(await withScope('order 7', () => Promise.resolve(currentScope()))).toBeUndefined()
    expect(scopeState()?.storage).toBeUndefined()
  })

  it('is not carried any more once the last has ended who needed it', () => {
    const first = needScopes()
    const second = needScopes()
    first()
    first()
    expect(withScope('order 7', currentScope)?.path).toBe('order 7')
    second()
    expect(scopeState()).toMatchObject({ needs: 0, storage: undefined })
    expect(withScope('order 7', currentScope)).toBeUndefined()
  })

  it('can be entered by a listener, for what the call causes', async () => {
    carried()
    const scope = openScope('GET /')
    const before = currentScope()
    const after = await new Promise((resolve) => {
      setTimeout(() => {
        enterScope(scope)
        setTimeout(() => resolve(currentScope()), 1)
      }, 1)
    })
    expect(after).toBe(scope)
    expect(currentScope()).toBe(before)
  })
})

describe('a fault for a scope', () => {
  it('is entered by no other work that is under way', async () => {
    carried()
    const entered = async (): Promise<string | undefined> => {
      await Promise.resolve()
      enterScope(openScope('entered', { parent: undefined }))
      await Promise.resolve()
      return currentScope()?.path
    }
    const other = async (): Promise<string | undefined> => {
      await Promise.resolve()
      await Promise.resolve()
      return currentScope()?.path
    }
    expect(await Promise.all([entered(), other()])).toEqual(['entered', undefined])
  })

  it('affects what is done on behalf of the scope, by its handle, its id or its path', async () => {
    carried()
    const scope = openScope('order 7')
    const inner = openScope('GET /', { parent: scope })
    const [other, none] = [openScope('order 8'), undefined]
    for (const [wanted, hit] of [
      [scope, [true, true]],
      [scope.id, [true, true]],
      ['order 7 > *', [true, true]],
      ['order 7', [true, false]],
      ['order 7 > GET /', [false, true]],
      ['order 7 #*', [true, false]],
      ['order #*', [false, false]],
      ['order 7 #* > *', [true, true]],
      ['order 7 > GET / #*', [false, true]],
    ] as const) {
      const store = new Store()
      const injection = await inject(failReads(), store, { scope: wanted })
      const fails = (within: typeof other | undefined): boolean => {
        const read = (): boolean => {
          try {
            store.read('a')
            return false
          } catch {
            return true
          }
        }
        return within === undefined ? read() : runInScope(within, read)
      }
      expect([fails(scope), fails(inner), fails(other), fails(none)]).toEqual([...hit, false, false])
      await injection.rollback()
    }
  })

  it('affects all scopes of a name where the path asks for any number', async () => {
    const store = new Store()
    const injection = await inject(failReads(), store, { scope: 'a > GET / #* > *' })
    onTestFinished(async () => {
      await injection.rollback()
    })
    const reads = withScope('a', () =>
      ['GET /', 'GET /', 'GET / #x', 'GET /b'].map((name) =>
        withScope(name, () => withScope('b', () => isFailed(store))),
      ),
    )
    expect(reads).toEqual([true, true, false, false])
  })

  it('is refused for a scope that was begun before anybody needed scopes', async () => {
    const store = new Store()
    await withScope('order 7', async (scope) => {
      await expect(inject(failReads(), store, { scope })).rejects.toMatchObject({
        code: 'CHAOS_INVALID_OPTION',
        message: expect.stringContaining('The scope "order 7" was begun before anybody needed scopes') as string,
      })
    })
    carried()
    await withScope('order 7', async (scope) => {
      const injection = await inject(failReads(), store, { scope })
      expect(isFailed(store)).toBe(true)
      await injection.rollback()
    })
  })

  it('counts the calls of its scope alone, and tells in which scope it hit', async () => {
    const store = new Store()
    const seen: unknown[] = []
    const injection = await inject(failReads(), store, {
      scope: 'a',
      skip: 1,
      limitPerOperation: 1,
      onAffected: ({ operation, scope, call }) => seen.push([operation, scope?.path, call]),
    })
    onTestFinished(async () => {
      await injection.rollback()
    })
    const [a, b] = [openScope('a'), openScope('b')]
    runInScope(b, () => store.read('x'))
    runInScope(a, () => store.read('x'))
    runInScope(b, () => store.read('x'))
    expect(() => runInScope(a, () => store.read('x'))).toThrow('failed')
    expect(injection).toMatchObject({ seen: 2, affected: 1, scope: 'a' })
    expect(seen).toEqual([['read', 'a', 2]])
  })

  it('tells of the first call outside of its scope, that is within `only`', async () => {
    const store = new Store()
    const onOutside = vi.fn()
    const only = (args: ArrayLike<unknown>): boolean => args[0] === 'x'
    const injection = await inject(failReads(), store, { scope: 'a', only, onOutside })
    onTestFinished(async () => {
      await injection.rollback()
    })
    store.read('y')
    expect(onOutside).not.toHaveBeenCalled()
    expect(() => runInScope(openScope('a'), () => store.read('x'))).toThrow('failed')
    expect(onOutside).not.toHaveBeenCalled()
    runInScope(openScope('b'), () => store.read('x'))
    store.read('x')
    expect(onOutside.mock.calls).toMatchObject([[{ operation: 'read', scope: { path: 'b' }, args: ['x'] }]])
  })

  it('tells of the calls that pass, whatever the listener throws', async () => {
    const store = new Store()
    const onSeen = vi.fn(() => {
      throw new Error('of the listener')
    })
    const injection = await inject(failReads(), store, { rate: 0, onSeen })
    store.read('x')
    withScope('a', () => store.read('y'))
    withScope('b', () => store.read('z'))
    expect(onSeen.mock.calls.map(([call]: readonly unknown[]) => call)).toMatchObject([
      { operation: 'read', scope: undefined, call: 1 },
      { scope: { path: 'a' }, call: 1 },
      { scope: { path: 'b' }, call: 1 },
    ])
    await injection.rollback()
    expect(processState().scopes).toMatchObject({ needs: 0 })
  })
})

describe('the name of a scope', () => {
  it.each(['a > b', 'a > > b', 'a > > > b', 'a >  > b', '> b', 'a >', ' > ', '>'])(
    'does not pass for a path: %j',
    (given) => {
      const inner = openScope(given, { parent: openScope('test', { numbered: false }), numbered: false })
      const around = openScope('test', { parent: openScope(given, { numbered: false }), numbered: false })
      expect([inner.path.split(' > '), around.path.split(' > ')]).toEqual([
        ['test', inner.name],
        [around.parent?.name, 'test'],
      ])
    },
  )
})

describe('scopes in one process', () => {
  it('do not hit each other: 500 at once, each with a fault of its own', async () => {
    const store = new Store()
    const hits = await Promise.all(
      Array.from({ length: 500 }, (_, at) =>
        withScope(`test ${at}`, async (scope) => {
          const injection = await inject(failReads(), store, { scope: `test ${at}`, skip: at % 3 })
          const failed: boolean[] = []
          for (let call = 0; call < 4; call += 1) {
            await nextTurn()
            failed.push(runInScope(scope, () => isFailed(store)))
          }
          await injection.rollback()
          return [injection.seen, failed.indexOf(true), failed.lastIndexOf(true)]
        }),
      ),
    )
    expect(hits).toEqual(hits.map((_, at) => [4, at % 3, 3]))
    expect(isFailed(store)).toBe(false)
    expect(areScopesNeeded()).toBe(false)
  })

  it('leave no hook behind on the promises of the process', async () => {
    expect(await arePromisesFollowed()).toBe(false)
    const injection = await inject(failReads(), new Store(), { scope: 'order 7' })
    await withScope('order 7', () => nextTurn())
    await injection.rollback()
    expect(await arePromisesFollowed()).toBe(false)
  })

  it.each(['rollback', 'lease', 'signal', 'limit', 'failure'] as const)(
    'are needed no more once the last fault has ended, by %s',
    async (how) => {
      const [store, stopping, clock] = [new Store(), new AbortController(), manualClock()]
      const target = how === 'failure' ? Object.freeze({ read: () => 'value' }) : store
      const armed = inject(failReads(), target as Store, {
        scope: 'a',
        limit: 1,
        leaseMs: 10,
        signal: stopping.signal,
        clock,
      })
      if (how === 'failure') {
        await expect(armed).rejects.toThrow()
      } else {
        const injection = await armed
        expect(areScopesNeeded()).toBe(true)
        if (how === 'rollback') await injection.rollback()
        if (how === 'lease') await clock.advance(10)
        if (how === 'signal') stopping.abort()
        if (how === 'limit') withScope('a', () => isFailed(store))
        await injection.done
      }
      expect(areScopesNeeded()).toBe(false)
    },
  )

  it('are numbered and nested alike by two copies of core', async () => {
    carried()
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-assertion -- TypeScript knows no file of this name
    const copy = (await import('./scope.js?copy' as string)) as { readonly openScope: typeof openScope }
    expect([openScope('GET /'), copy.openScope('GET /')].map(({ name }) => name)).toEqual(['GET /', 'GET / #2'])
    let scope = openScope('again')
    for (let depth = 0; depth < 60; depth += 1)
      scope = (depth % 2 === 0 ? copy.openScope : openScope)('again', { parent: scope })
    expect(scope.path.split(' > ')).toHaveLength(50)
  })

  it('are told apart by what was held back: it goes on in the scope of its caller', async () => {
    const clock = manualClock()
    const seen: (string | undefined)[] = []
    const bus = { read: () => void seen.push(currentScope()?.path) }
    const holdReads = defineFault({
      name: 'test/hold-reads',
      kind: 'standing',
      summary: 'Holds reads.',
      target: anyStore,
      options: {},
      inject(held: typeof bus, _options, { patch, operation, hold }) {
        const reads = operation('read')
        patch(held, 'read', (below) => () => {
          if (reads.shouldInject([])) hold({ afterMs: 10, run: () => void below.call.call(held) })
          else below.call.call(held)
        })
      },
    })
    const injection = await inject(holdReads(), bus, { scope: 'a > *', clock })
    withScope('a', () => {
      bus.read()
      withScope('b', () => bus.read())
    })
    await clock.advance(10)
    withScope('a', () => bus.read())
    await injection.rollback()
    expect(seen).toEqual(['a', 'a > b', 'a #2'])
  })

  it('are not told of calls after the end of their fault', async () => {
    const [store, seen] = [new Store(), vi.fn()]
    const injection = await inject(failReads(), store, { rate: 0, onSeen: seen })
    const late = store.read.bind(store)
    const read = store.read
    await injection.rollback()
    late('x')
    read.call(store, 'x')
    expect(seen).not.toHaveBeenCalled()
  })
})

describe('a chain', () => {
  it('names a scope in another thread, with all scopes around it', () => {
    const leave = needScopes()
    const scope = openScope('job', { parent: openScope('order 7') })
    const data: unknown = structuredClone(chainOfScope(scope))
    expect(scopeOfChain(data)).toBe(scope)
    leave()
    carried()
    const found = scopeOfChain(data)
    expect(found).toEqual(scope)
    expect(scopeOfChain(data)).toBe(found)
  })

  it.each([
    ['no list', { length: 1 }],
    ['too long', Array.from({ length: 51 }, () => ['id', 'name'])],
    ['of other things', [['id', 1]]],
    ['without pairs', ['id']],
    ['with a name that no scope has', [['id', 'x'.repeat(251)]]],
    ['with an id that no scope has', [['a b', 'name']]],
  ])('is ignored when it is %s', (_, data) => {
    carried()
    expect(scopeOfChain(data)).toBeUndefined()
  })
})

describe('the member of baggage', () => {
  it('finds the scope again in this process, and its id in another that has the key', () => {
    carried()
    const scope = openScope('order 7')
    const header = withScopeMember(scope, 'userId=alice, chaos=old.member')
    expect(header).toMatch(/^userId=alice,chaos=[\w-]{12}\.[\w-]{22}$/)
    expect(scopeOfMember(header)).toBe(scope)
    scopeState()?.sent.clear()
    const elsewhere = scopeOfMember(header)
    expect(elsewhere).toMatchObject({ id: scope.id, path: 'another process', parent: undefined })
    expect(scopeOfMember(header)).toBe(elsewhere)
  })

  it('counts where it is the last of its name, as in a header that was passed on', () => {
    carried()
    const [passedOn, own] = [openScope('an earlier request'), openScope('order 7')]
    expect(scopeOfMember(`${withScopeMember(passedOn)}, a=b,${withScopeMember(own)}`)).toBe(own)
  })

  it('is known to nobody before scopes were ever needed, unless there is a key', () => {
    const state = processState()
    const before = state.scopes
    onTestFinished(() => void Object.assign(state, { scopes: before }))
    carried()
    const header = withScopeMember(openScope('order 7'))
    Object.assign(state, { scopes: undefined })
    expect(scopeOfMember(header)).toBeUndefined()
    expect(withScopeMember(openScope('order 8'), 'a=b')).toBe('a=b')
  })

  it('finds any of 10,000 scopes again, and forgets the oldest beyond', () => {
    carried()
    const headers = Array.from({ length: 10_001 }, (_, at) =>
      withScopeMember(openScope(`order ${at}`, { numbered: false })),
    )
    expect(scopeState()?.sent.size).toBe(10_000)
    expect([headers[0], headers[1], headers.at(-1)].map((header) => scopeOfMember(header ?? '')?.path)).toEqual([
      'another process',
      // Forgotten for the one before.
      'another process',
      'order 10000',
    ])
  })

  it.each([
    ['forged', (header: string) => header.slice(0, -1) + (header.endsWith('A') ? 'B' : 'A')],
    ['cut', (header: string) => header.slice(0, -1)],
    ['empty', () => 'chaos='],
    ['without a value', () => 'chaos'],
    ['not ours', () => 'a=b,,=,'],
    ['oversized', (header: string) => `${'a=b,'.repeat(3_000)}${header}`],
  ])('is ignored when it is %s', (_, spoil) => {
    carried()
    expect(scopeOfMember(spoil(withScopeMember(openScope('order 7'))))).toBeUndefined()
  })
})
