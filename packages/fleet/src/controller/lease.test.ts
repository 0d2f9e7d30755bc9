import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import type { ControllerTransport } from '../transports/transport.js'
import { keepLease, type LossReason } from './lease.js'

type Answer = Awaited<ReturnType<ControllerTransport['renew']>>

/** A lease of 5 s, whose renewals a test answers. */
function setting() {
  const clock = manualClock(1_000)
  const sent: { readonly phase: string; readonly at: number; answer: (answer: Answer) => void }[] = []
  const losses: { readonly reason: LossReason; readonly at: number }[] = []
  const lease = keepLease({
    transport: {
      renew: (_run, _leaseMs, phase) =>
        new Promise((resolve) => void sent.push({ phase, at: clock.now(), answer: resolve })),
    },
    run: { runId: 'r', owner: 'o' },
    leaseMs: 5_000,
    clock,
    openedAt: clock.now(),
    onLoss: (reason) => void losses.push({ reason, at: clock.now() }),
  })
  return { clock, sent, losses, lease }
}

it('counts a renewal from when it was sent, however late its answer comes', async () => {
  const { clock, sent, losses } = setting()
  await clock.advance(4_000)
  expect(sent).toHaveLength(1)
  sent[0]?.answer('renewed')
  // Sent at 2,000 and answered at 5,000: it holds until 7,000. The next one never gets an answer.
  await clock.advance(1_999)
  expect(losses).toEqual([])
  await clock.advance(1)
  expect(losses).toEqual([{ reason: 'fenced', at: 7_000 }])
})

it('waits for the answer to a renewal of the first phase before it sends one of the second', async () => {
  const { clock, sent, lease } = setting()
  await clock.advance(1_000)
  const activated = lease.activate()
  await clock.advance(500)
  expect(sent.map(({ phase }) => phase)).toEqual(['prepare'])
  sent[0]?.answer('renewed')
  await clock.advance(0)
  expect(sent.map(({ phase }) => phase)).toEqual(['prepare', 'active'])
  sent[1]?.answer('renewed')
  expect(await activated).toBe(true)
})

it.each(['lost', 'halted', 'not-permitted'] as const)('is over for good when the answer is %s', async (reason) => {
  const { clock, sent, losses, lease } = setting()
  await clock.advance(1_000)
  sent[0]?.answer(reason)
  await clock.advance(60_000)
  expect(losses).toEqual([{ reason, at: 2_000 }])
  expect(sent).toHaveLength(1)
  expect(await lease.activate()).toBe(false)
  expect(clock.pending).toBe(0)
})

it('takes no answer that comes after its end', async () => {
  const { clock, sent, losses, lease } = setting()
  await clock.advance(1_000)
  lease.end()
  sent[0]?.answer('lost')
  await clock.advance(60_000)
  expect(losses).toEqual([])
  expect(clock.pending).toBe(0)
})
