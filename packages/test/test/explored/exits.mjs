// A test whose app keeps state in its module, and ends its process when it cannot write.
import assert from 'node:assert/strict'
import { refuseCalls } from '@chaos/adapter'

class Store {
  async write() {}
  async read() {}
}
const store = new Store()
let runs = 0

export const options = { name: 'counter', targets: { store }, faults: { store: [refuseCalls] }, depth: 1 }
export async function test() {
  runs += 1
  assert.equal(runs, 1, 'the module was loaded before')
  await store.read().catch(() => undefined)
  await store.write().catch(() => process.exit(7))
}
