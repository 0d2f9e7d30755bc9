import { breakable } from '@chaos/adapter'
import { kind, times, type Kind } from './kind.js'

/** A service in memory, which answers with a promise and with an iteration. */
class Store {
  readonly #rows = new Map([['key', 'value']])
  async get(key: string): Promise<string | undefined> {
    return Promise.resolve(this.#rows.get(key))
  }
  async set(key: string, value: string): Promise<string> {
    await Promise.resolve(this.#rows.set(key, value))
    return 'OK'
  }
  async *scan(): AsyncGenerator<string> {
    for (const key of this.#rows.keys()) yield Promise.resolve(key)
  }
}

type Call = (key: string) => Promise<string>

/** Calls one after another, without waiting for what the fault holds back. */
async function inTurn(count: number, call: () => Promise<unknown>): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    times(1, call)
    await Promise.resolve()
  }
}

/** What `cut-results` cuts are answers of many parts. */
const PARTS = ['adapter/cut-results']

export const services: readonly Kind[] = [
  kind<Store>(
    'adapter',
    'an object with methods',
    {
      target: () => new Store(),
      touched: (store) => [store, Store.prototype],
      exercise: (store, count) => inTurn(count, () => store.set('key', 'value')),
    },
    { except: PARTS },
  ),
  kind<typeof Store>(
    'adapter',
    'a class with methods',
    {
      target: () => class extends Store {},
      touched: (Class) => [Class, Class.prototype],
      exercise: (Class, count) => inTurn(count, () => new Class().set('key', 'value')),
    },
    { except: PARTS },
  ),
  kind<Call>(
    'adapter',
    'a function made breakable',
    {
      target: () =>
        breakable(async function set(key: string) {
          return Promise.resolve(key)
        }),
      exercise: (call, count) => inTurn(count, () => call('key')),
    },
    { except: PARTS },
  ),
  kind<Store>(
    'adapter',
    'an object whose methods answer with many parts',
    {
      target: () => new Store(),
      touched: (store) => [store, Store.prototype],
      exercise: (store, count) => times(count, () => store.scan()),
    },
    { faults: PARTS },
  ),
]
