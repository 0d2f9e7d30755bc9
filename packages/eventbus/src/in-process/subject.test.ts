import { AsyncSubject, BehaviorSubject, ReplaySubject, share, Subject } from 'rxjs'
import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { faultTable, type Content } from '../../test/fault-table.js'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'

faultTable('RxJS Subject', () => {
  const subject = new Subject<Content>()
  const got: Content[] = []
  subject.subscribe((content) => got.push(content))
  return {
    target: subject,
    name: 'next',
    publish: (content) => subject.next(content),
    got,
    touched: [subject, Subject.prototype],
  }
})

faultTable('RxJS BehaviorSubject', () => {
  const subject = new BehaviorSubject<Content | undefined>(undefined)
  const got: Content[] = []
  subject.subscribe((content) => {
    if (content !== undefined) got.push(content)
  })
  return {
    target: subject,
    name: 'next',
    publish: (content) => subject.next(content),
    got,
    touched: [subject, Subject.prototype],
  }
})

it('breaks a BehaviorSubject beneath its value, and no other subject', async () => {
  const subject = new BehaviorSubject(0)
  const other = new BehaviorSubject(0)
  const got: string[] = []
  subject.subscribe((n) => got.push(`subject ${n}`))
  other.subscribe((n) => got.push(`other ${n}`))
  const injection = await inject(delayEvents({ delayMs: 60_000 }), subject)
  subject.next(1)
  other.next(1)
  expect(subject.value).toBe(1)
  expect(got).toEqual(['subject 0', 'other 0', 'other 1'])
  await injection.rollback()
  expect(got.at(-1)).toBe('subject 1')
})

/** What observers get: values, then the end. */
function observed<Value>(subject: Subject<Value>): unknown[] {
  const got: unknown[] = []
  subject.subscribe({
    next: (value) => got.push(value),
    complete: () => got.push('complete'),
    error: (error) => got.push(['error', error]),
  })
  return got
}

describe('the end of a subject', () => {
  it.each<[string, () => Subject<number>, unknown[]]>([
    ['Subject', () => new Subject<number>(), [1, 2, 'complete']],
    ['ReplaySubject', () => new ReplaySubject<number>(), [1, 2, 'complete']],
    ['BehaviorSubject', () => new BehaviorSubject(0), [0, 1, 2, 'complete']],
    ['AsyncSubject', () => new AsyncSubject<number>(), [2, 'complete']],
  ])('waits behind held values, in order, at either seam: %s', async (_name, make, expected) => {
    for (const seam of ['delivery', 'publish'] as const) {
      const clock = manualClock()
      const subject = make()
      const got = observed(subject)
      const injection = await inject(delayEvents({ delayMs: 100, seam }), subject, { clock })
      subject.next(1)
      subject.next(2)
      subject.complete()
      subject.next(3)
      subject.error(new Error('after the end'))
      await clock.advance(99)
      expect(got).not.toContain('complete')
      await clock.advance(1)
      await injection.rollback()
      expect(got).toEqual(expected)
      expect(injection.account).toMatchObject({ held: 0, dropped: 0 })
    }
  })

  it('comes at once if nothing is held, and with the fault if values are held until then', async () => {
    const subject = new Subject<number>()
    const got = observed(subject)
    const injection = await inject(delayEvents({ delayMs: 60_000 }), subject, { limit: 1 })
    const error = new Error('mine')
    subject.next(1)
    subject.error(error)
    expect(got).toEqual([])
    await injection.rollback()
    expect(got).toEqual([1, ['error', error]])
    const idle = new Subject<number>()
    const ended = observed(idle)
    const other = await inject(delayEvents({ delayMs: 60_000 }), idle)
    idle.complete()
    expect(ended).toEqual(['complete'])
    await other.rollback()
  })

  it('passes through two faults over each other', async () => {
    const clock = manualClock()
    const subject = new Subject<number>()
    const got = observed(subject)
    const below = await inject(delayEvents({ delayMs: 100 }), subject, { clock })
    const above = await inject(delayEvents({ delayMs: 50 }), subject, { clock })
    subject.next(1)
    subject.complete()
    await clock.advance(50)
    expect(got).toEqual([])
    await clock.advance(100)
    expect(got).toEqual([1, 'complete'])
    await above.rollback()
    await below.rollback()
  })

  it('is lost with the values of a subject that is unsubscribed meanwhile', async () => {
    const clock = manualClock()
    const subject = new Subject<number>()
    const got = observed(subject)
    const injection = await inject(delayEvents({ delayMs: 100 }), subject, { clock })
    subject.next(1)
    subject.complete()
    subject.unsubscribe()
    await clock.advance(100)
    expect([got, injection.account]).toMatchObject([[], { sent: 1, dropped: 1, held: 0, lost: 1 }])
    await injection.rollback()
  })

  it('reaches those who share it, and a source behind refCount', async () => {
    const clock = manualClock()
    const source = new Subject<number>()
    const shared = source.pipe(share())
    const got: unknown[] = []
    const early = shared.subscribe((n) => got.push(['early', n]))
    const injection = await inject(delayEvents({ delayMs: 100 }), source, { clock })
    source.next(1)
    early.unsubscribe()
    shared.subscribe({ next: (n) => got.push(['late', n]), complete: () => got.push('complete') })
    source.complete()
    await clock.advance(100)
    expect(got).toEqual([['late', 1], 'complete'])
    await injection.rollback()
  })
})

it('drops a value before it reaches the buffer at publish, and below the buffer at delivery', async () => {
  const kept: unknown[] = []
  for (const seam of ['publish', 'delivery'] as const) {
    const replay = new ReplaySubject<number>()
    const behavior = new BehaviorSubject(0)
    const injections = [await inject(dropEvents({ seam }), replay), await inject(dropEvents({ seam }), behavior)]
    replay.next(1)
    behavior.next(1)
    for (const injection of injections) await injection.rollback()
    kept.push([observed(replay), behavior.value])
  }
  expect(kept).toEqual([
    [[], 0],
    [[1], 1],
  ])
})
