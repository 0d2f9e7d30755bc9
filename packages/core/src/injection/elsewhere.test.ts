import { describe, expect, it, onTestFinished } from 'vitest'
import { defineFault, extendLease, type Delegation } from '../authoring.js'
import { inject, journal, withScope, type InjectOptions, type JournalEntry } from '../index.js'
import { manualClock } from '../testing/index.js'

/** A target in another thread, as far as it is told. */
interface Far {
  delegation: Delegation
  readonly extended: number[]
  /** What there is to do before the fault has ended there. */
  beforeEnd: () => void | Promise<void>
}

const reachFar = defineFault({
  name: 'test/reach-far',
  kind: 'standing',
  summary: 'Acts elsewhere.',
  target: { expects: 'an object', accepts: () => true },
  inject(far: Far, _options, context) {
    context.account('lost')
    far.delegation = context.delegate((leaseMs) => void far.extended.push(leaseMs))
    context.defer(() => far.beforeEnd())
  },
})

const counts = { seen: 3, affected: 2, queued: 1, held: 4, account: { lost: 5 } }

async function begin(how: InjectOptions = {}) {
  const far = { extended: [], beforeEnd: () => undefined } as unknown as Far
  const clock = manualClock(1_000_000)
  const injection = await inject(reachFar(), far, { clock, targetName: 'far', ...how })
  onTestFinished(() => injection.rollback().then(() => undefined))
  const entries: JournalEntry[] = []
  onTestFinished(journal.follow((entry) => entries.push(entry)))
  return { far, clock, injection, entries }
}

describe('an injection whose decisions are made elsewhere', () => {
  it('says how it is made there: all that decides, and what is left of its lease', async () => {
    const { far } = await begin({ only: ['a*'], rate: 0.5, limit: 3, skip: 1, seed: 7, leaseMs: 5_000, observe: true })
    expect(far.delegation.how).toEqual({
      ...{ id: 'test/reach-far@far#1', seed: '7', leaseMs: 5_000 },
      ...{ only: ['a*'], rate: 0.5, limit: 3, skip: 1, observe: true },
    })
  })

  it.each([
    [{ only: () => true }, '`only` cannot be a predicate. Pass names or globs.'],
    [{ onSeen: () => undefined }, '`onSeen` cannot be used.'],
    [{ onAffected: () => undefined }, '`onAffected` cannot be used.'],
    [{ onOutside: () => undefined }, '`onOutside` cannot be used.'],
    [{ scope: 'a test' }, '`scope` cannot be used.'],
  ])('is refused with %o, which cannot be sent', async (how, words) => {
    await expect(withScope('a test', () => begin(how))).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining(words) as string,
    })
  })

  it('takes over counts, hits and warnings from there, and lands with the first hit', async () => {
    const { far, clock, injection, entries } = await begin({ observe: true })
    const observed = { calls: [{ operation: 'x', seen: 3, affected: 2 }], unlisted: 0 }
    far.delegation.count({ ...counts, observed })
    expect(injection.snapshot()).toMatchObject({ ...counts, passed: 1, observed, landedAt: undefined })
    await clock.advance(10)
    far.delegation.hit({ operation: 'x', call: 7, agoMs: 3 })
    far.delegation.warn('careful')
    expect(injection.landedAt).toBe(1_000_010)
    expect(entries).toMatchObject([
      { type: 'landed' },
      { type: 'hit', at: 1_000_010, id: injection.id, operation: 'x', call: 7 },
      { type: 'warning', message: 'careful' },
    ])
    expect(injection.affected).toBe(2)
  })

  it('has a hit of the real clock when it was', async () => {
    const { far, injection } = await begin()
    await injection.rollback()
    const real = await inject(reachFar(), far)
    far.delegation.hit({ operation: 'x', call: 1, agoMs: 5_000 })
    expect((await real.rollback()).landedAt).toBeLessThan(real.armedAt)
  })

  it('takes over the last report while it ends, and nothing after it', async () => {
    const { far, injection, entries } = await begin()
    far.beforeEnd = async () => {
      await Promise.resolve()
      far.delegation.count(counts)
      far.delegation.hit({ operation: 'x', call: 1, agoMs: 0 })
    }
    const state = await injection.rollback()
    expect(state).toMatchObject({ ...counts, outcome: 'rolled-back', landedAt: 1_000_000 })
    const before = entries.length
    far.delegation.count({ ...counts, seen: 99 })
    far.delegation.hit({ operation: 'x', call: 2, agoMs: 0 })
    far.delegation.warn('late')
    far.delegation.end('failed', [new Error('late')])
    expect([injection.snapshot(), entries.length]).toEqual([state, before])
  })

  it('does not end by itself when a limit is spent there, but when it has ended there', async () => {
    const { far, injection } = await begin({ limit: 2 })
    far.delegation.count({ ...counts, held: 0 })
    far.delegation.hit({ operation: 'x', call: 1, agoMs: 0 })
    await Promise.resolve()
    expect(injection.outcome).toBe(undefined)
    far.delegation.end('limit-spent')
    expect(await injection.done).toMatchObject({ outcome: 'limit-spent', failures: [] })
  })

  it('ends with what failed there', async () => {
    const { far, injection } = await begin()
    far.delegation.end('failed', [new Error('the thread has ended')])
    expect(await injection.done).toMatchObject({ outcome: 'failed', failures: ['the thread has ended'] })
  })

  it('that ends there while it is put in force here ends right after', async () => {
    const endsEarly = defineFault({
      name: 'test/end-early',
      kind: 'standing',
      summary: 'Ends early.',
      target: { expects: 'an object', accepts: () => true },
      inject: (_far: object, _options, context) => context.delegate(() => undefined).end('limit-spent'),
    })
    const injection = await inject(endsEarly(), {})
    expect((await injection.done).outcome).toBe('limit-spent')
  })

  it('passes on that its lease is prolonged, by the rest of it', async () => {
    const { far, clock, injection } = await begin({ leaseMs: 1_000 })
    await clock.advance(600)
    expect(extendLease(injection.id, 2_000)).toBe(true)
    extendLease(injection.id, 100)
    expect(far.extended).toEqual([2_000])
  })
})
