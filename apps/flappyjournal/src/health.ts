import { randomUUID } from 'node:crypto'
import type { ConsciousnessEventBus } from './event-bus.js'
import type { ResilientStorage } from './storage/resilient-storage.js'
import type { Supervisor } from './supervisor.js'

/** What works and what does not. */
export interface HealthReport {
  readonly isHealthy: boolean
  readonly parts: Readonly<Record<string, boolean>>
}

/** The health module. */
export interface Health {
  /** The loop, a bus round trip and a storage round trip. */
  check(): Promise<HealthReport>
  /** Storage only. */
  checkStorage(): Promise<HealthReport>
  close(): void
}

const MODULE = 'health'
/** Longest wait for a part, in ms. */
const LIMIT_MS = 500

/** Does the work it vouches for: a turn of the loop, an event there and back, a value written and read. */
export function watchHealth(bus: ConsciousnessEventBus, storage: ResilientStorage, supervisor: Supervisor): Health {
  const waiting = new Map<string, () => void>()
  const onPing = (payload: unknown): void => {
    waiting.get(payload as string)?.()
    waiting.delete(payload as string)
  }
  bus.subscribe(MODULE, 'health:ping', onPing)
  let last: boolean | undefined

  async function busWorks(): Promise<void> {
    const id = randomUUID()
    const answered = new Promise<void>((resolve) => waiting.set(id, resolve))
    bus.emit('health:ping', id)
    await answered
  }
  /** Two at once would read each other's values: whoever asks meanwhile shares the one under way. */
  let trip: Promise<void> | undefined
  const storageWorks = (): Promise<void> => (trip ??= roundTrip().finally(() => (trip = undefined)))
  async function roundTrip(): Promise<void> {
    const value = randomUUID()
    await storage.set('health:probe', value)
    if ((await storage.get('health:probe')) !== value) throw new Error('Expected the value that was written.')
  }
  const loopWorks = (): Promise<boolean> => Promise.resolve(supervisor.isUp && supervisor.hz > 0)

  return {
    async check() {
      const [loop, eventBus, memory] = await Promise.all([loopWorks(), works(busWorks()), works(storageWorks())])
      const isHealthy = loop && eventBus && memory
      if (isHealthy !== last) bus.emit('health:status', { isHealthy, at: Date.now() })
      last = isHealthy
      return { isHealthy, parts: { loop, eventBus, storage: memory } }
    },
    async checkStorage() {
      const memory = await works(storageWorks())
      return { isHealthy: memory, parts: { storage: memory } }
    },
    close: () => bus.unsubscribe(MODULE, 'health:ping', onPing),
  }
}

async function works(work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), LIMIT_MS)
  })
  const done = await Promise.race([
    work.then(
      () => true,
      () => false,
    ),
    limit,
  ])
  clearTimeout(timer)
  return done
}
