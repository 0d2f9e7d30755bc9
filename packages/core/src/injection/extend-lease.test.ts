import { describe, expect, it, onTestFinished } from 'vitest'
import { extendLease, defineFault } from '../authoring.js'
import { createChaos, target, type Injection } from '../index.js'
import { manualClock, type ManualClock } from '../testing/index.js'

const silence = defineFault({
  name: 'test/silence',
  kind: 'standing',
  summary: 'Silences a speaker.',
  options: {},
  target: { expects: 'an object', accepts: () => true },
  inject(speaker: { say(): string }, _options, context) {
    const operation = context.operation('say')
    context.patch(
      speaker,
      'say',
      () =>
        (...args: unknown[]) =>
          operation.shouldInject(args) ? '' : 'hello',
    )
  },
})

async function silenced(leaseMs = 1_000): Promise<{ clock: ManualClock; say: () => string; injection: Injection }> {
  const clock = manualClock(1_000_000)
  const speaker = { say: () => 'hello' }
  const chaos = createChaos({
    environment: 'test',
    clock,
    maxLeaseMs: 5_000,
    targets: { it: target(speaker, [silence]) },
  })
  onTestFinished(() => chaos.close())
  const injection = await chaos.inject('it', 'silence', {}, { leaseMs })
  return { clock, say: () => speaker.say(), injection }
}

describe('extendLease', () => {
  it('keeps a fault in force as long as the lease is extended in time, and no longer', async () => {
    const { clock, say, injection } = await silenced()
    for (let i = 0; i < 4; i += 1) {
      await clock.advance(900)
      expect(extendLease(injection.id, 1_000)).toBe(true)
    }
    expect([injection.leaseEndsAt - clock.now(), injection.leaseMs]).toEqual([1_000, 4_600])
    await clock.advance(999)
    expect(say()).toBe('')
    await clock.advance(1)
    expect([say(), injection.outcome]).toEqual(['hello', 'lease-expired'])
    expect(clock.pending).toBe(0)
  })

  it('never shortens a lease', async () => {
    const { clock, say, injection } = await silenced()
    expect(extendLease(injection.id, 10)).toBe(true)
    await clock.advance(999)
    expect(say()).toBe('')
  })

  it('stops at the longest lease of the controller, counted from the arming', async () => {
    const { clock, injection } = await silenced()
    await clock.advance(900)
    expect(extendLease(injection.id, 600_000)).toBe(true)
    expect(injection.leaseEndsAt - injection.armedAt).toBe(5_000)
    await clock.advance(4_100)
    expect(injection.outcome).toBe('lease-expired')
  })

  it('revives nothing: neither an ended injection nor one whose timer is late', async () => {
    let now = 0
    const speaker = { say: () => 'hello' }
    // No timer of this clock ever fires, as in a process whose loop is blocked.
    const clock = { now: () => now, after: () => () => undefined }
    const chaos = createChaos({ environment: 'test', clock, targets: { it: target(speaker, [silence]) } })
    const injection = await chaos.inject('it', 'silence', {}, { leaseMs: 1_000 })
    expect(extendLease(injection.id, 1_500)).toBe(true)
    now = 1_499
    expect(speaker.say()).toBe('')
    now = 1_500
    expect(extendLease(injection.id, 1_000)).toBe(false)
    expect(speaker.say()).toBe('hello')
    await injection.done
    expect(extendLease(injection.id, 1_000)).toBe(false)
    expect(injection.outcome).toBe('lease-expired')
  })

  it('knows a fault that is still being put in force', async () => {
    const clock = manualClock(1_000_000)
    const slow = defineFault({
      name: 'test/slow',
      kind: 'standing',
      summary: 'Takes long to be put in force.',
      options: {},
      target: { expects: 'an object', accepts: () => true },
      inject: (_target: object, _options, context) =>
        new Promise((resolve) => void context.clock.after(1_500, resolve)),
    })
    const chaos = createChaos({ environment: 'test', clock, targets: { it: target({}, [slow]) } })
    onTestFinished(() => chaos.close())
    const arming = chaos.inject('it', 'slow', {}, { leaseMs: 1_000 })
    const [{ id } = { id: '' }] = await chaos.injections()
    expect(extendLease(id, 2_000)).toBe(true)
    await clock.advance(1_500)
    expect((await arming).status).toBe('active')
    expect(extendLease('another', 2_000)).toBe(false)
  })

  it('refuses times that no timer can wait for', async () => {
    const { injection } = await silenced()
    const refused = expect.objectContaining({ code: 'CHAOS_INVALID_OPTION' }) as Error
    expect(() => extendLease(injection.id, Number.NaN)).toThrow(refused)
    expect(() => extendLease(injection.id, 2 ** 31)).toThrow(refused)
  })
})
