// A test whose app dies of an error, or blocks its thread, when it cannot read.
import { refuseCalls } from '@chaos/adapter'

const store = {
  async read() {},
  async readAgain() {},
}

export const options = { name: 'blocks', targets: { store }, faults: { store: [refuseCalls] }, depth: 1 }
export async function test() {
  await store.read().catch(() => {
    process.removeAllListeners('uncaughtException')
    setTimeout(() => {
      throw new Error('cannot read')
    })
    return new Promise(() => undefined)
  })
  await store.readAgain().catch(() => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
}
