import { randomUUID } from 'node:crypto'
import type { ConsciousnessEventBus } from './event-bus.js'
import type { ResilientStorage } from './storage/resilient-storage.js'
import type { Supervisor } from './supervisor.js'
import { realTime, within, type Time } from './time/time.js'

/** The result of a health check: each part and whether it works. */
export interface HealthReport {
  readonly isHealthy: boolean
  readonly parts: Readonly<Record<string, boolean>>
}

/** The health module. */
export interface Health {
  /** Checks the loop, a bus round trip and a storage round trip. */
  check(): Promise<HealthReport>
  /** Checks only a storage round trip. */
  checkStorage(): Promise<HealthReport>
  close(): void
}

const MODULE = 'health'
/** The longest wait for the check of one part, in ms. */
const LIMIT_MS = 500

/** Creates health checks that do real work: a turn of the loop, an event round trip, a value written and read. */
export function watchHealth(
  bus: ConsciousnessEventBus,
  storage: ResilientStorage,
  supervisor: Supervisor,
  time: Time = realTime,
): Health {
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
  /** The storage round trip in progress. Concurrent checks share it, since two would read each other's values. */
  let trip: Promise<void> | undefined
  const storageWorks = (): Promise<void> => (trip ??= roundTrip().finally(() => (trip = undefined)))
  async function roundTrip(): Promise<void> {
    const value = randomUUID()
    await storage.set('health:probe', value)
    if ((await storage.get('health:probe')) !== value)
      throw new Error('Storage returned another value than was written.')
  }
  const works = (work: Promise<unknown>): Promise<boolean> =>
    within(
      time,
      LIMIT_MS,
      work.then(
        () => true,
        () => false,
      ),
      () => false,
    )
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
