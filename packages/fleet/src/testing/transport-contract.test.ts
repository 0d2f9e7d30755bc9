import { describe, expect, it } from 'vitest'
import { expiryEvents, fireAndForget, pushedHeartbeats } from './failing-designs.js'
import { memoryScene } from './memory-scene.js'
import { transportContract } from './transport-contract.js'

describe('the engine in memory', () => {
  for (const { title, run } of transportContract({ open: memoryScene })) it(title, run)
})

describe('designs that fail', () => {
  it.each([
    [
      'messages that nobody asks for again',
      fireAndForget,
      'shows by a read that a run was closed, though everything that was sent to the agent was lost',
    ],
    [
      'pushed heartbeats',
      pushedHeartbeats,
      'gives no run more time than its lease has, though what was sent comes late',
    ],
    [
      'waiting for expiry events',
      expiryEvents,
      'shows by a read that a lease is over, though nobody could tell the agent',
    ],
  ])('make the suite red: %s', async (_what, open, promise) => {
    const cases = transportContract({ open })
    const caseOf = (title: string) => cases.find((one) => one.title === title) ?? expect.fail(title)
    // They do work as long as nothing goes wrong.
    await caseOf('shows a run to its instances, and to no other').run()
    await caseOf('ends a run when it is closed').run()
    await expect(caseOf(promise).run()).rejects.toMatchObject({ code: 'ERR_ASSERTION' })
  })
})
