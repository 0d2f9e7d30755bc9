import { CircuitBreaker } from '../../../src/storage/circuit-breaker.js'
import type { StorageAdapter } from '../../../src/storage/adapter.js'
import { LevelAdapter } from '../../../src/storage/level-adapter.js'
import { ResilientStorage } from '../../../src/storage/resilient-storage.js'
import { everyNth, type AppSabotages } from './app-sabotage.js'

type Entry = Readonly<Record<string, unknown>>
const isEntry = (key: string): boolean => key.startsWith('mem:')

/** Replaces a method of Level, beneath everything that breaks or mends it. It stays an `async` function: faults act on those. */
function beneath<Method extends 'get' | 'set' | 'keys'>(
  method: Method,
  replace: (original: StorageAdapter[Method]) => StorageAdapter[Method],
): void {
  const original = LevelAdapter.prototype[method] as (this: LevelAdapter, ...args: unknown[]) => unknown
  Object.defineProperty(LevelAdapter.prototype, method, {
    configurable: true,
    writable: true,
    async value(this: LevelAdapter, ...args: unknown[]) {
      const bound = ((...own: unknown[]) => original.apply(this, own)) as StorageAdapter[Method]
      return await (replace(bound) as (...own: unknown[]) => unknown)(...args)
    },
  })
}

/** Writes that were acknowledged before Level had them are replayed otherwise. `undefined`: not at all. */
function replayOtherwise(change: (value: Entry) => Entry | undefined): void {
  const [written, waiting] = [new Set<string>(), new Set<string>()]
  const set = Object.getOwnPropertyDescriptor(ResilientStorage.prototype, 'set')?.value as ResilientStorage['set']
  ResilientStorage.prototype.set = async function (key, value) {
    await set.call(this, key, value)
    if (isEntry(key) && !written.has(key)) waiting.add(key)
  }
  beneath('set', (original) => async (key, value) => {
    const changed = waiting.delete(key) ? change(value as Entry) : value
    if (changed !== undefined) await original(key, changed)
    written.add(key)
  })
}

/** Entries that are stored otherwise than they were acknowledged. */
function storeOtherwise(change: (value: Entry) => Entry | undefined): void {
  beneath('set', (original) => async (key, value) => {
    const changed = isEntry(key) ? change(value as Entry) : value
    if (changed !== undefined) await original(key, changed)
  })
}

export const storageSabotages: AppSabotages = {
  'replay-cuts-content': {
    before: () => replayOtherwise((entry) => ({ ...entry, content: String(entry['content']).slice(0, 5) })),
  },
  'replay-drops-tags': { before: () => replayOtherwise((entry) => ({ ...entry, tags: [] })) },
  'never-replayed': { before: () => replayOtherwise(() => undefined) },
  'one-in-ten-not-stored': {
    before() {
      const isUnlucky = everyNth(10)
      storeOtherwise((entry) => (isUnlucky() ? undefined : entry))
    },
  },
  'contents-swapped': {
    before(moments) {
      let last: unknown
      const isUnlucky = everyNth(10)
      storeOtherwise((entry) => {
        const other = last
        last = entry['content']
        return moments.has('landed') && isUnlucky() ? { ...entry, content: other } : entry
      })
    },
  },
  'reads-ten-seconds-behind': {
    before(moments) {
      const writtenAt = new Map<string, number>()
      const isThere = (key: string): boolean =>
        !moments.has('ended') || !isEntry(key) || performance.now() - (writtenAt.get(key) ?? 0) > 10_000
      beneath('set', (original) => (key, value) => {
        writtenAt.set(key, performance.now())
        return original(key, value)
      })
      beneath('get', (original) => async (key) => (isThere(key) ? original(key) : undefined))
    },
  },
  'breaker-never-opens': { before: () => void (CircuitBreaker.prototype.failed = () => undefined) },
  'breaker-never-closes': {
    before(moments) {
      const { tryHalfOpen } = Object.getOwnPropertyDescriptors(CircuitBreaker.prototype)
      CircuitBreaker.prototype.tryHalfOpen = function () {
        return !moments.has('landed') && (tryHalfOpen.value as () => boolean).call(this)
      }
    },
  },
}
