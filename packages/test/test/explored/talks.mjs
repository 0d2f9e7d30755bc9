// A test whose app says something to whoever has started it.
import { parentPort } from 'node:worker_threads'
import { refuseCalls } from '@chaos/adapter'
import { systemClock } from '@chaos/core/authoring'

const store = { async read() {} }

export const options = {
  ...{ name: 'talks', targets: { store }, faults: { store: [refuseCalls] } },
  // Live objects cannot be sent to the thread that searches.
  ...{ clock: systemClock, searchClock: systemClock, signal: new AbortController().signal },
}

export async function test() {
  for (const message of ['ready', { type: 'ready' }]) {
    process.send?.(message)
    parentPort?.postMessage(message)
  }
  await store.read().catch(() => undefined)
}
