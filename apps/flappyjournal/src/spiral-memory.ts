import type { ConsciousnessEventBus } from './event-bus.js'
import type { ResilientStorage } from './storage/resilient-storage.js'

const MODULE = 'memory'

/** What can be asked of the memory. A store request without a value forgets the entry; a retrieve request without an id lists all. */
interface MemoryRequest {
  readonly requestId: string
  readonly id?: string
  readonly value?: unknown
}

/** The module that keeps entries under `mem:<id>`. It is reached over the bus alone. @returns Stops it. */
export function startSpiralMemory(bus: ConsciousnessEventBus, storage: ResilientStorage): () => void {
  async function answer(event: string, { requestId }: MemoryRequest, work: () => Promise<Readonly<Record<string, unknown>>>): Promise<void> {
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
      return { values: (await Promise.all(keys.map((key) => storage.get(key)))).filter((value) => value !== undefined) }
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
