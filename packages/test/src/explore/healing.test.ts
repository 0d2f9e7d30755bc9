import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { refuseCalls } from '@chaos/adapter'
import { manualClock } from '@chaos/core/testing'
import { delayEvents } from '@chaos/eventbus'
import { expect, it } from 'vitest'
import { pointText } from '../search/model.js'
import { explore } from './explore.js'

/** Keeps what cannot be written, and tries three times before it waits for a `flush`. */
class Outbox {
  readonly written: string[] = []
  readonly waiting: string[] = []
  async write(row: string): Promise<void> {
    await Promise.resolve(this.written.push(row))
  }
  async save(row: string, isPatient: boolean): Promise<void> {
    for (let tries = 1; tries <= 3; tries += 1)
      try {
        await this.write(row)
        return
      } catch {
        // Once more.
      }
    if (isPatient) this.waiting.push(row)
  }
  async flush(): Promise<void> {
    for (const row of this.waiting.splice(0)) await this.write(row)
  }
}

it.each([
  ['holds if the system heals after the faults', true, []],
  [
    'breaks if it does not',
    false,
    ["await inject(refuseCalls({ methods: 'write' }), outbox, { scope: 'explore', only: 'write' })"],
  ],
])('a test that ends the faults %s', async (_, isPatient, codes) => {
  const outbox = new Outbox()
  const { findings, complete, result } = await explore(
    {
      targets: { outbox },
      faults: { outbox: [refuseCalls({ methods: 'write' })] },
      thorough: true,
      reset: () => {
        outbox.written.length = 0
        outbox.waiting.length = 0
      },
      onFinding: 'return',
    },
    async ({ endFaults }) => {
      await outbox.save('a', isPatient)
      await endFaults()
      await outbox.flush()
      // A call after the end is no point: nothing could hit it.
      await outbox.write('end')
      assert.deepEqual(outbox.written, ['a', 'end'])
    },
  )
  expect(findings.map(({ code }) => code)).toEqual(codes)
  expect(complete).toBe(true)
  expect(result.points.map(({ point }) => pointText(point))).toEqual(
    [1, 2, 3].map((n) => `explore: outbox.write #${n}`),
  )
})

it('lets go of what faults hold back as it ends them', async () => {
  const clock = manualClock()
  const bus = new EventEmitter()
  const { findings } = await explore(
    {
      targets: { bus },
      faults: { bus: [delayEvents({ delayMs: 1_000 })] },
      reset: () => void bus.removeAllListeners(),
      onFinding: 'return',
      clock,
    },
    async ({ endFaults }) => {
      let heard = 0
      bus.on('order', () => (heard += 1))
      bus.emit('order')
      await endFaults()
      assert.equal(heard, 1)
    },
  )
  expect(findings).toEqual([])
})
