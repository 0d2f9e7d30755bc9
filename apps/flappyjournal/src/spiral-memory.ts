import type { ConsciousnessEventBus } from './event-bus.js'
import type { ResilientStorage } from './storage/resilient-storage.js'
import { realTime, type Time } from './time/time.js'

const MODULE = 'memory'

/**
 * The number of entries of a list that are read concurrently. With thousands at once, the occasional failures of a
 * backend would arrive before its successes, and the breaker would count them as consecutive failures.
 */
const LANES = 8

/**
 * A request to the memory. A store request without a value deletes the entry. A retrieve request without an id lists
 * all.
 */
interface MemoryRequest {
  readonly requestId: string
  /** When the one who asked gives up waiting. */
  readonly expiresAt: number
  readonly id?: string
  readonly value?: unknown
}

/** Starts the module that stores entries under `mem:<id>`. It is used only over the bus. @returns Stops the module. */
export function startSpiralMemory(
  bus: ConsciousnessEventBus,
  storage: ResilientStorage,
  time: Time = realTime,
): () => void {
  /** The requests that have come, until they expire. All wait equally long, so the first to come expires first. */
  const taken = new Map<string, number>()
  function isFirst(requestId: string, expiresAt: number): boolean {
    for (const [id, until] of taken) {
      if (until > time.now()) break
      taken.delete(id)
    }
    if (taken.has(requestId)) return false
    taken.set(requestId, expiresAt)
    return true
  }

  async function answer(
    event: string,
    { requestId, expiresAt }: MemoryRequest,
    work: () => Promise<Readonly<Record<string, unknown>>>,
  ): Promise<void> {
    // A write that comes too late, or again, must not overwrite what was acknowledged since.
    if (time.now() >= expiresAt || !isFirst(requestId, expiresAt)) return
    try {
      bus.emit(`${event}.ok`, { requestId, ...(await work()) })
    } catch (error) {
      bus.emit(`${event}.fail`, { requestId, error })
    }
  }

  const onStore = (payload: unknown): Promise<void> => {
    const request = payload as MemoryRequest
    return answer('spiral.memory.store', request, async () => {
      const key = `mem:${request.id ?? ''}`
      await (request.value === undefined ? storage.del(key) : storage.set(key, request.value))
      return { id: request.id }
    })
  }

  const onRetrieve = (payload: unknown): Promise<void> => {
    const request = payload as MemoryRequest
    return answer('spiral.memory.retrieve', request, async () => {
      if (request.id !== undefined) return { value: await storage.get(`mem:${request.id}`) }
      const keys = (await storage.keys('mem:')).filter((key) => key !== 'mem:probe')
      return { values: (await inLanes(keys, (key) => storage.get(key))).filter((value) => value !== undefined) }
    })
  }

  bus.subscribe(MODULE, 'spiral.memory.store.request', onStore)
  bus.subscribe(MODULE, 'spiral.memory.retrieve.request', onRetrieve)
  bus.broadcastModuleStatus(MODULE, 'started', { backend: storage.backend.backend })
  return () => {
    bus.unsubscribe(MODULE, 'spiral.memory.store.request', onStore)
    bus.unsubscribe(MODULE, 'spiral.memory.retrieve.request', onRetrieve)
  }
}

/** Processes items with limited concurrency. @returns The results in the order of the items. */
async function inLanes<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  const waiting = items.entries()
  const lane = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return results
}
