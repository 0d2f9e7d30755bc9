import { BehaviorSubject, Subject } from 'rxjs'
import { inject } from '@chaos/core'
import { expect, it } from 'vitest'
import { faultTable, type Content } from '../../test/fault-table.js'
import { delayEvents } from '../faults/delay-events.js'

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
