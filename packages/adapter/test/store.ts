import type { Fault } from '@chaos/core'
import { faultContract } from '@chaos/core/testing'
import { describe, it } from 'vitest'

/** A service in memory that remembers what reached it, in every way a method can answer. */
export class Store {
  readonly #rows = new Map<string, string>()
  readonly reached: string[] = []

  async get(key: string, _options: { readonly signal?: AbortSignal } = {}): Promise<string | undefined> {
    this.reached.push(`get ${key}`)
    return Promise.resolve(this.#rows.get(key))
  }
  async set(key: string, value: string, _options: { readonly signal?: AbortSignal } = {}): Promise<string> {
    this.reached.push(`set ${key}`)
    await Promise.resolve(this.#rows.set(key, value))
    return 'OK'
  }
  async fail(): Promise<never> {
    this.reached.push('fail')
    return Promise.reject(new RangeError('its own'))
  }
  peek(key: string): string | undefined {
    this.reached.push(`peek ${key}`)
    return this.#rows.get(key)
  }
  get size(): number {
    return this.#rows.size
  }
  *keys(): Generator<string, number> {
    this.reached.push('keys')
    yield* this.#rows.keys()
    return this.#rows.size
  }
  async *scan(): AsyncGenerator<string, number> {
    this.reached.push('scan')
    for (const key of this.#rows.keys()) yield Promise.resolve(key)
    return this.#rows.size
  }
}

/** The conformance suite, on an instance, on all instances of a class, and on a function. */
export function describeContract(fault: () => Fault<object>): void {
  const times =
    <Target>(call: (target: Target) => Promise<unknown>) =>
    async (target: Target, count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        call(target).catch(() => undefined)
        await Promise.resolve()
      }
    }
  describe('keeps the contract', () => {
    for (const { title, run } of faultContract<Store>({
      fault,
      target: () => new Store(),
      exercise: times((store) => store.set('key', 'value')),
    }))
      it(`with an instance: ${title}`, run)
    const classes = faultContract<typeof Store>({
      fault,
      target: () => class extends Store {},
      exercise: times((Class) => new Class().set('key', 'value')),
      touched: (Class) => [Class.prototype],
    })
    for (const { title, run } of classes) it(`with a class: ${title}`, run)
  })
}
