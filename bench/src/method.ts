import { inject, type InjectOptions } from '@chaos/core'
import { refuseCalls } from '@chaos/adapter'
import type { Case, Prepared } from './compare.js'

class Store {
  readonly #value = 1
  async get(_key: string): Promise<number> {
    return Promise.resolve(this.#value)
  }
  async set(_key: string, _value: number): Promise<void> {
    await Promise.resolve()
  }
}

/** An async method of a class: bare, at rest after a rollback, and with a fault armed that does not affect the call. */
export function methodCases(): Case[] {
  const armed = (name: string, how: InjectOptions): Case => ({
    name,
    make: async () => {
      const store = new Store()
      const injection = await inject(refuseCalls(), store, how)
      return { ...calling(store), dispose: async () => {
        await injection.rollback()
      } }
    },
  })
  return [
    { name: 'bare', make: () => calling(new Store()) },
    {
      name: 'at rest, after a rollback',
      make: async () => {
        const store = new Store()
        await (await inject(refuseCalls(), store)).rollback()
        return calling(store)
      },
    },
    armed('armed for another method', { only: 'set' }),
    armed('armed at rate 0', { rate: 0 }),
  ]
}

function calling(store: Store): Prepared {
  return { run: () => store.get('key') }
}
