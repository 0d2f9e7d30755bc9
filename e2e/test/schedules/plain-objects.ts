import { delayCalls, refuseCalls, timeOutCalls } from '@chaos/adapter'
import type { Random } from './random.js'
import type { Choice, Play, Subject } from './subject.js'

class Store {
  rows = 0
  async get(key: string): Promise<string> {
    return Promise.resolve(key)
  }
  async set(_key: string): Promise<void> {
    await Promise.resolve()
    this.rows += 1
  }
}

function chooseCalls(random: Random): Choice {
  const how = { rate: random.one([0, 0.5, 1]), seed: random.below(1_000) }
  const methods = random.one(['get', 'set', ['get', 'set']])
  const fault = random.one([
    () => delayCalls({ delayMs: 20, methods }),
    () => refuseCalls({ methods }),
    () => timeOutCalls({ timeoutMs: 20, methods }),
  ])()
  return { fault, how }
}

/** A wrapper that the application puts on a member of its own, and takes off again. */
function wrapping(target: object, key: string): () => void {
  const original: unknown = Reflect.get(target, key)
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    return typeof original === 'function' ? (Reflect.apply(original, this, args) as unknown) : undefined
  }
  Reflect.set(target, key, wrapper)
  return () => void (Reflect.get(target, key) === wrapper && Reflect.set(target, key, original))
}

function playOn(target: object, others: readonly object[], call: (key: string) => unknown): Play {
  return {
    target,
    others,
    choose: chooseCalls,
    act(random) {
      switch (random.below(4)) {
        case 0:
          Reflect.set(target, `late${random.below(5)}`, random.below(5))
          break
        case 1: {
          // A spy that comes and goes while faults do not.
          const restore = Object.hasOwn(target, 'get') ? wrapping(target, 'get') : () => undefined
          void Promise.resolve(call('get')).catch(() => undefined)
          restore()
          break
        }
        default:
          void Promise.resolve(call(random.one(['get', 'set']))).catch(() => undefined)
      }
    },
  }
}

const callOn =
  (target: object) =>
  (key: string): unknown => {
    const method: unknown = Reflect.get(target, key)
    return typeof method === 'function' ? (Reflect.apply(method, target, ['key']) as unknown) : undefined
  }

/** Objects, instances, instances of subclasses and classes. */
export const plainObjects: readonly Subject[] = [
  {
    title: 'an instance of a class',
    begin: () => {
      const store = new Store()
      return playOn(store, [Store.prototype], callOn(store))
    },
  },
  {
    title: 'an instance of a subclass',
    begin: () => {
      class Sub extends Store {
        override async get(key: string): Promise<string> {
          return super.get(key)
        }
      }
      const store = new Sub()
      return playOn(store, [Sub.prototype, Store.prototype], callOn(store))
    },
  },
  {
    title: 'an object with methods of its own',
    begin: () => {
      const store = { get: async () => Promise.resolve('get'), set: async () => Promise.resolve('set') }
      return playOn(store, [], callOn(store))
    },
  },
  {
    title: 'a prototype, with instances and subclasses made meanwhile',
    begin: () => {
      class Base {
        async get(key: string): Promise<string> {
          return Promise.resolve(key)
        }
        async set(key: string): Promise<string> {
          return Promise.resolve(key)
        }
      }
      return playOn(Base.prototype, [Base], (key) => callOn(new (class extends Base {})())(key))
    },
  },
]
