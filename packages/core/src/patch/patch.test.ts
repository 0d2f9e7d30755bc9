import { EventEmitter } from 'node:events'
import * as modulePath from 'node:path'
import { promisify } from 'node:util'
import v8 from 'node:v8'
import { createContext, runInContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isChaosError } from '../basics/errors.js'
import type { AnyFunction, Below } from './below.js'
import { patch, type Unpatch } from './patch.js'
import { originalOf, ownersOf } from './record.js'
import { shapeDifference, shapeOf } from '../testing/shape.js'

v8.setFlagsFromString('--allow-natives-syntax')
// eslint-disable-next-line @typescript-eslint/no-implied-eval -- the only way to ask V8 how it stores an object
const hasFastProperties = new Function('object', 'return %HasFastProperties(object)') as (object: object) => boolean

/** A layer that adds a letter to what comes from below, so that a result tells which layers were on the path. */
const adds =
  (letter: string) =>
  (below: Below): AnyFunction =>
    function (this: unknown, ...args: unknown[]): string {
      return String(Reflect.apply(below.call, this, args)) + letter
    }

class Store {
  readonly own = (): string => 'own'
  get(): string {
    return 'get'
  }
  set(): string {
    return 'set'
  }
}

describe('patch', () => {
  it('patches an inherited member without an own key, and restores it', () => {
    const store = new Store()
    const before = shapeOf(store)
    const unpatch = patch(store, 'get', adds('a'))
    expect(store.get()).toBe('geta')
    expect(Object.keys(store)).toEqual(['own'])
    expect(new Store().get()).toBe('get')
    expect(unpatch()).toBeUndefined()
    expect(shapeDifference(before, shapeOf(store))).toBeUndefined()
  })

  it('patches a getter, own or inherited, keeps its setter, and restores it', () => {
    class Account {
      balance = 1
      get total(): number {
        return this.balance
      }
      set total(value: number) {
        this.balance = value
      }
    }
    const account = new Account()
    Object.defineProperty(account, 'label', { get: () => 'own', enumerable: true, configurable: true })
    const before = shapeOf(account)
    const doubled = (below: Below): AnyFunction =>
      function (this: unknown): unknown {
        return `${String(Reflect.apply(below.call, this, []))}!`
      }
    const unpatch = ['total', 'total', 'label', 'label'].map((key) => patch(account, key, doubled, { getter: true }))
    account.total = 5
    expect([account.total, Reflect.get(account, 'label')]).toEqual(['5!!', 'own!!'])
    expect(new Account().total).toBe(1)
    const [first, , third] = unpatch as [Unpatch, Unpatch, Unpatch, Unpatch]
    first()
    third()
    expect([account.total, Reflect.get(account, 'label')]).toEqual(['5!', 'own!'])
    for (const take of unpatch) expect(take()).toBeUndefined()
    expect([account.total, Reflect.get(account, 'label')]).toEqual([5, 'own'])
    expect(shapeDifference(before, shapeOf(account))).toBeUndefined()
  })

  it('leaves a getter alone that other code has replaced meanwhile, and says so', () => {
    const target = Object.defineProperty({}, 'size', { get: () => 1, configurable: true }) as { readonly size: number }
    const unpatch = patch(target, 'size', (below) => () => Number(Reflect.apply(below.call, target, [])) + 10, {
      getter: true,
    })
    const ours = Object.getOwnPropertyDescriptor(target, 'size')?.get as () => number
    const theirs = (): number => ours() + 100
    Object.defineProperty(target, 'size', { get: theirs, configurable: true })
    expect(target.size).toBe(111)
    expect(unpatch()).toContain('Other code replaced `size`')
    expect(Object.getOwnPropertyDescriptor(target, 'size')?.get).toBe(theirs)
  })

  it.each([
    [{ size: 1 }, 'size', 'got number'],
    [
      {
        set size(_value: number) {
          /* write only */
        },
      },
      'size',
      'got an accessor without a getter',
    ],
    [{}, 'size', 'got nothing'],
  ])('refuses to patch the getter of %o', (target, key, words) => {
    expect(() => patch(target, key, () => () => 1, { getter: true })).toThrow(words)
  })

  it('removes layers in any order, and skips removed layers', () => {
    const store = new Store()
    const [a, b, c] = ['a', 'b', 'c'].map((letter) => patch(store, 'own', adds(letter))) as [Unpatch, Unpatch, Unpatch]
    expect(store.own()).toBe('ownabc')
    b()
    expect(store.own()).toBe('ownac')
    c()
    const d = patch(store, 'own', adds('d'))
    expect(store.own()).toBe('ownad')
    a()
    expect(store.own()).toBe('ownd')
    d()
    expect(store.own()).toBe('own')
  })

  it('keeps an outermost layer above layers that come later, whichever leaves first', () => {
    for (const own of [true, false])
      for (const order of [
        [0, 1, 2, 3],
        [3, 2, 1, 0],
        [1, 3, 0, 2],
        [2, 0, 3, 1],
      ]) {
        const store: { get: () => string } = own ? { get: () => 'get' } : new Store()
        const before = shapeOf(store)
        const layers = [
          { letter: 'A', outermost: true },
          { letter: 'b', outermost: false },
          { letter: 'C', outermost: true },
          { letter: 'd', outermost: false },
        ].map(({ letter, outermost }) => ({ letter, unpatch: patch(store, 'get', adds(letter), { outermost }) }))
        const seen = ['b', 'd', 'A', 'C']
        expect(store.get()).toBe(`get${seen.join('')}`)
        for (const at of order) {
          const { letter, unpatch } = layers[at] as (typeof layers)[0]
          seen.splice(seen.indexOf(letter), 1)
          expect(unpatch()).toBeUndefined()
          expect(store.get()).toBe(`get${seen.join('')}`)
        }
        expect(shapeDifference(before, shapeOf(store))).toBeUndefined()
      }
  })

  it('skips a layer that steps aside before it is removed, in any order, while others are added', () => {
    const store = new Store()
    const before = shapeOf(store)
    const [a, b, c] = [patch(store, 'get', adds('a')), patch(store, 'get', adds('b')), patch(store, 'get', adds('c'))]
    b.stepAside()
    b.stepAside()
    expect(store.get()).toBe('getac')
    a.stepAside()
    expect(store.get()).toBe('getc')
    c.stepAside()
    // Nothing lies over the topmost one: it is what the member still is.
    expect(store.get()).toBe('getc')
    const late = patch(store, 'get', adds('d'))
    expect(store.get()).toBe('getd')
    for (const unpatch of [b, c, a]) expect(unpatch()).toBeUndefined()
    expect(store.get()).toBe('getd')
    const later = patch(store, 'get', adds('e'))
    expect(a()).toBeUndefined()
    expect(store.get()).toBe('getde')
    late()
    later()
    expect(shapeDifference(before, shapeOf(store))).toBeUndefined()
  })

  it('lets all layers step aside and be removed, while others are added', () => {
    const store = new Store()
    const before = shapeOf(store)
    const [a, b] = [patch(store, 'get', adds('a')), patch(store, 'get', adds('b'))]
    a.stepAside()
    b.stepAside()
    b()
    expect(store.get()).toBe('get')
    const next = patch(store, 'get', adds('n'))
    a()
    expect(store.get()).toBe('getn')
    next()
    expect(shapeDifference(before, shapeOf(store))).toBeUndefined()
  })

  it('restores descriptors, prototype, identities and fast properties, under any interleaving, even if keys are added meanwhile', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('patch' as const),
        key: fc.constantFrom('own', 'get', 'set'),
        letter: fc.constantFrom('a', 'b', 'c'),
      }),
      fc.record({ do: fc.constant('unpatch' as const), which: fc.nat(20) }),
      fc.record({ do: fc.constant('add key' as const), name: fc.constantFrom('x', 'y', 'z') }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = new Store() as Store & Record<string, unknown>
        const control = new Store() as Store & Record<string, unknown>
        const live: { key: 'own' | 'get' | 'set'; letter: string; unpatch: Unpatch }[] = []
        const expectCalls = (): void => {
          for (const key of ['own', 'get', 'set'] as const) {
            expect(store[key]()).toBe(
              key +
                live
                  .filter((layer) => layer.key === key)
                  .map(({ letter }) => letter)
                  .join(''),
            )
          }
        }
        const { own } = store
        for (const action of steps) {
          if (action.do === 'patch')
            live.push({
              key: action.key,
              letter: action.letter,
              unpatch: patch(store, action.key, adds(action.letter)),
            })
          else if (action.do === 'unpatch')
            live.splice(action.which % Math.max(1, live.length), 1).forEach(({ unpatch }) => unpatch())
          else {
            store[action.name] = 1
            control[action.name] = 1
          }
          expectCalls()
        }
        for (const { unpatch } of live.splice(0)) expect(unpatch()).toBeUndefined()
        expectCalls()
        expect(store.own).toBe(own)
        expect(Object.getPrototypeOf(store)).toBe(Store.prototype)
        expect(Object.getOwnPropertyDescriptors(store)).toEqual({
          ...Object.getOwnPropertyDescriptors(control),
          own: Object.getOwnPropertyDescriptor(store, 'own'),
        })
        expect(hasFastProperties(store)).toBe(true)
      }),
    )
  })

  it('keeps name, arity and own keys of the original', async () => {
    const wait = (_ms: number, _done: () => void): void => undefined
    const target = { wait: Object.assign(wait, { [promisify.custom]: () => Promise.resolve('custom') }) }
    const unpatch = patch(
      target,
      'wait',
      (below) =>
        function (...args: unknown[]): unknown {
          return Reflect.apply(below.call, undefined, args)
        },
    )
    expect(target.wait.name).toBe('wait')
    expect(target.wait).toHaveLength(2)
    await expect(promisify(target.wait)()).resolves.toBe('custom')
    unpatch()
  })

  it('never clobbers a later patch of other code: the layer passes calls on, is reported, and is removed when it can be', () => {
    const target = { run: () => 'run' }
    const original = target.run
    const unpatch = patch(target, 'run', adds('a'))
    const ours = target.run
    const theirs = (): string => `${ours()}!`
    target.run = theirs
    const onTop = patch(target, 'run', adds('b'))
    expect(target.run()).toBe('runa!b')
    expect(unpatch()).toContain('Other code replaced `run`')
    // Their function still calls ours, which the fault has turned into a pass-through by now.
    expect(target.run()).toBe('runa!b')
    onTop()
    expect(target.run).toBe(theirs)
    target.run = ours
    patch(target, 'run', adds('c'))()
    expect(target.run).toBe(original)
  })

  it('does not restore a member that the application deleted meanwhile', () => {
    const target: { run?: () => string } = { run: () => 'run' }
    const unpatch = patch(target, 'run', adds('a'))
    delete target.run
    unpatch()
    expect('run' in target).toBe(false)
  })

  it('follows changes of the class while an instance is patched', () => {
    const store = new Store()
    const { get } = Store.prototype
    const onClass = patch(Store.prototype, 'get', adds('c'))
    const onInstance = patch(store, 'get', adds('i'))
    expect(store.get()).toBe('getci')
    expect(originalOf(store, 'get')).toBe(get)
    onClass()
    expect(store.get()).toBe('geti')
    onInstance()
    expect(store.get()).toBe('get')
  })

  it('patches what a class inherits from another class, and super() keeps working', () => {
    class Base {
      static create(): string {
        return `create ${this.name}`
      }
      readonly made: string
      constructor() {
        this.made = new.target.name
      }
    }
    class Derived extends Base {}
    const before = shapeOf(Derived)
    const unpatch = patch(Derived, 'create', adds('a'))
    expect(Derived.create()).toBe('create Deriveda')
    expect(Base.create()).toBe('create Base')
    expect(new Derived()).toMatchObject({ made: 'Derived' })
    expect(new (class Further extends Derived {})()).toBeInstanceOf(Derived)
    unpatch()
    expect(shapeDifference(before, shapeOf(Derived))).toBeUndefined()
  })

  it('follows the application to another prototype, and restores both', () => {
    class Other {
      get(): string {
        return 'other'
      }
    }
    const store: { get(): string } = new Store()
    const first = patch(store, 'get', adds('a'))
    const spliced = Object.getPrototypeOf(store) as object
    Object.setPrototypeOf(store, Other.prototype)
    expect(store.get()).toBe('other')
    const second = patch(store, 'get', adds('b'))
    expect(store.get()).toBe('otherb')
    second()
    expect(Object.getPrototypeOf(store)).toBe(Other.prototype)
    Object.setPrototypeOf(store, spliced)
    expect(store.get()).toBe('geta')
    first()
    expect(Object.getPrototypeOf(store)).toBe(Store.prototype)
  })

  it('reports what stays on a target that was frozen meanwhile', () => {
    const store = new Store()
    const unpatch = patch(store, 'get', adds('a'))
    Object.freeze(store)
    expect(unpatch()).toContain('The target was frozen while `get` was patched')
    expect(store.get()).toBe('get')
    const again = patch(store, 'get', adds('b'))
    expect(store.get()).toBe('getb')
    again()
    expect(store.get()).toBe('get')
  })

  it('changes nothing when the layer cannot be made', () => {
    const store = new Store()
    const before = shapeOf(store)
    for (const key of ['get', 'own'])
      expect(() =>
        patch(store, key, () => {
          throw new Error('no layer')
        }),
      ).toThrow('no layer')
    expect(shapeDifference(before, shapeOf(store))).toBeUndefined()
  })

  it('can patch the method that super calls, below an overriding class', () => {
    class Bus extends EventEmitter {
      override emit(name: string, ...args: unknown[]): boolean {
        return super.emit(name, ...args)
      }
    }
    const before = shapeOf(Bus.prototype)
    const names: string[] = []
    const unpatch = patch(
      Bus.prototype,
      'emit',
      (below) =>
        function (this: EventEmitter, name: string, ...args: unknown[]): unknown {
          names.push(name)
          return Reflect.apply(below.call, this, [name, ...args])
        },
      { inherited: true },
    )
    new Bus().emit('covered')
    new EventEmitter().emit('elsewhere')
    expect(names).toEqual(['covered'])
    expect(ownersOf(new Bus(), 'emit')).toEqual([Bus.prototype, EventEmitter.prototype])
    unpatch()
    expect(shapeDifference(before, shapeOf(Bus.prototype))).toBeUndefined()
  })

  it.each([
    ['a frozen object, inherited member', Object.freeze(new Store()), 'get', 'CHAOS_TARGET_SEALED'],
    ['a frozen object, own member', Object.freeze({ run: () => 1 }), 'run', 'CHAOS_TARGET_SEALED'],
    ['a member that is not there', new Store(), 'gte', 'CHAOS_TARGET_MISMATCH'],
    ['a member that is no function', { size: 1 }, 'size', 'CHAOS_TARGET_MISMATCH'],
    ['a member of a module', modulePath, 'join', 'CHAOS_TARGET_SEALED'],
    [
      'an accessor',
      {
        get run() {
          return () => 1
        },
      },
      'run',
      'CHAOS_TARGET_MISMATCH',
    ],
  ] as const)('refuses %s, and changes nothing', (_title, object, key, code) => {
    const before = shapeOf(object)
    expect(() => patch(object, key, adds('a'))).toThrow(expect.objectContaining({ code }))
    expect(shapeDifference(before, shapeOf(object))).toBeUndefined()
  })

  it('replaces a writable own member of a sealed object', () => {
    const target = Object.seal({ run: () => 'run' })
    const unpatch = patch(target, 'run', adds('a'))
    expect(target.run()).toBe('runa')
    unpatch()
    expect(target.run()).toBe('run')
  })

  it('restores a built-in member of the global object of a `vm` context, such as the sandbox of a test runner', () => {
    const context = createContext({})
    const sandbox = runInContext('globalThis', context) as typeof globalThis
    const before = Object.getOwnPropertyDescriptor(sandbox, 'parseInt')
    const unpatch = patch(sandbox, 'parseInt', adds('a'))
    expect(runInContext('parseInt("5")', context)).toBe('5a')
    expect(unpatch()).toBeUndefined()
    expect(runInContext('parseInt("5")', context)).toBe(5)
    expect(Object.getOwnPropertyDescriptor(sandbox, 'parseInt')).toEqual(before)
  })

  it('lets the application assign no member that it could not assign without the layer', () => {
    const fixed = Object.create(null, { run: { value: () => 'run', configurable: true } }) as { run: () => string }
    const target = Object.create(fixed) as typeof fixed
    const unpatch = patch(target, 'run', adds('a'))
    expect(() => (target.run = () => 'other')).toThrow(TypeError)
    expect(target.run()).toBe('runa')
    unpatch()
    expect([Object.keys(target), target.run()]).toEqual([[], 'run'])
  })

  it('throws with the documented code', () => {
    try {
      patch(Object.freeze({ run: () => 1 }), 'run', adds('a'))
      expect.unreachable()
    } catch (error) {
      expect(isChaosError(error, 'CHAOS_TARGET_SEALED')).toBe(true)
    }
  })
})
