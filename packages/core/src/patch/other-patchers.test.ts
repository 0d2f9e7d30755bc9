import { EventEmitter } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import type { AnyFunction, Below } from './below.js'
import { patch } from './patch.js'
import { shapeDifference, shapeOf } from '../testing/shape.js'

/** Patches a member as a fault does: with a layer that adds `!` to each result, until it is taken off. */
function injectInto(object: object, key: string): () => string | undefined {
  let inForce = true
  const unpatch = patch(
    object,
    key,
    (below: Below): AnyFunction =>
      function (this: unknown, ...args: unknown[]): unknown {
        const result: unknown = Reflect.apply(below.call, this, args)
        return inForce ? `${String(result)}!` : result
      },
  )
  return () => {
    inForce = false
    return unpatch()
  }
}

/** Wraps a member as `shimmer` does, on which instrumentations stand. */
function wrap(target: Record<string, AnyFunction>, name: string, letter: string): void {
  const original = target[name] as AnyFunction
  const wrapped = function (this: unknown, ...args: unknown[]): string {
    return `${String(Reflect.apply(original, this, args))}${letter}`
  }
  const set = (object: object, key: string, value: unknown): void =>
    void Object.defineProperty(object, key, { value, configurable: true, writable: true, enumerable: key === name })
  set(wrapped, '__original', original)
  set(wrapped, '__unwrap', () => {
    if (target[name] === wrapped) set(target, name, original)
  })
  set(wrapped, '__wrapped', true)
  set(target, name, wrapped)
}

/** Unwraps as `shimmer` does. */
const unwrap = (target: Record<string, AnyFunction>, name: string): void => {
  const found: unknown = Reflect.get(target[name] as AnyFunction, '__unwrap')
  if (typeof found === 'function') Reflect.apply(found, undefined, [])
}

const isWrapped = (fn: unknown): boolean => typeof fn === 'function' && '__wrapped' in fn

const service = (): { target: Record<string, AnyFunction>; run: AnyFunction } => {
  const run = (): string => 'run'
  return { target: { run }, run }
}

describe('an instrumentation', () => {
  it('that is switched on during a fault and off after it leaves the original, once the member is called', () => {
    const { target, run } = service()
    const unpatch = injectInto(target, 'run')
    wrap(target, 'run', 'w')
    expect(target['run']?.()).toBe('run!w')
    expect(unpatch()).toMatch(/Other code replaced `run`.*the next call of the member, or the next fault on it/s)
    expect(target['run']?.()).toBe('runw')
    unwrap(target, 'run')
    expect(target['run']?.()).toBe('run')
    expect(target['run']).toBe(run)
  })

  it('that is switched on and off during a fault leaves the fault in force', () => {
    const { target, run } = service()
    const unpatch = injectInto(target, 'run')
    wrap(target, 'run', 'w')
    unwrap(target, 'run')
    expect(target['run']?.()).toBe('run!')
    expect(unpatch()).toBeUndefined()
    expect(target['run']).toBe(run)
  })

  it('that is switched off during a fault does not come back with the end of the fault', () => {
    const { target, run } = service()
    wrap(target, 'run', 'w')
    const layers = [injectInto(target, 'run'), injectInto(target, 'run')]
    expect(target['run']?.()).toBe('runw!!')
    unwrap(target, 'run')
    expect(target['run']?.()).toBe('run!!')
    expect(isWrapped(target['run'])).toBe(false)
    for (const unpatch of layers) expect(unpatch()).toBeUndefined()
    expect(target['run']).toBe(run)
  })

  it('that is switched off and on again during a fault is there once', () => {
    const { target, run } = service()
    wrap(target, 'run', 'w')
    const unpatch = injectInto(target, 'run')
    unwrap(target, 'run')
    wrap(target, 'run', 'v')
    expect(target['run']?.()).toBe('run!v')
    unpatch()
    expect(target['run']?.()).toBe('runv')
    unwrap(target, 'run')
    expect(target['run']?.()).toBe('run')
    expect(target['run']).toBe(run)
  })

  it('that wraps twice loses one wrapper for each time it is switched off', () => {
    const { target } = service()
    wrap(target, 'run', 'a')
    wrap(target, 'run', 'b')
    const unpatch = injectInto(target, 'run')
    unwrap(target, 'run')
    expect(target['run']?.()).toBe('runa!')
    expect(isWrapped(target['run'])).toBe(true)
    unwrap(target, 'run')
    unpatch()
    expect(target['run']?.()).toBe('run')
  })

  it('that wraps an inherited member leaves behind what it leaves without a fault', () => {
    const bus = new EventEmitter() as EventEmitter & Record<string, AnyFunction>
    const unpatch = injectInto(bus, 'emit')
    wrap(bus, 'emit', 'w')
    unpatch()
    unwrap(bus, 'emit')
    bus.emit('tick')
    expect(Object.getOwnPropertyDescriptor(bus, 'emit')?.value).toBe(EventEmitter.prototype.emit)
    expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
  })
})

describe('a spy', () => {
  class Store {
    get(): string {
      return 'get'
    }
  }

  it.each(['own', 'inherited'])(
    'over a fault on an %s member, restored after or before it, leaves nothing',
    (where) => {
      for (const spyLeavesFirst of [true, false]) {
        const store = where === 'own' ? { get: () => 'get' } : new Store()
        const before = shapeOf(store)
        const unpatch = injectInto(store, 'get')
        const spy = vi.spyOn(store, 'get')
        expect(store.get()).toBe('get!')
        const ends = spyLeavesFirst ? [() => spy.mockRestore(), unpatch] : [unpatch, () => spy.mockRestore()]
        for (const end of ends) end()
        expect(store.get()).toBe('get')
        expect(shapeDifference(before, shapeOf(store))).toBeUndefined()
      }
    },
  )

  it('beneath a fault, restored while it is in force, leaves the original and the layer nothing to restore', () => {
    const store = { get: () => 'get' }
    const { get } = store
    const spy = vi.spyOn(store, 'get')
    const unpatch = injectInto(store, 'get')
    spy.mockRestore()
    unpatch()
    expect(store.get).toBe(get)
  })
})
