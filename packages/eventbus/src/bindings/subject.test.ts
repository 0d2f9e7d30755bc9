import { BehaviorSubject, Subject } from 'rxjs'
import { faultTable, type Content } from '../../test/fault-table.js'

faultTable('RxJS Subject', () => {
  const subject = new Subject<Content>()
  const got: Content[] = []
  subject.subscribe((content) => got.push(content))
  return { target: subject, name: 'next', publish: (content) => subject.next(content), got, touched: [subject, Subject.prototype] }
})

faultTable('RxJS BehaviorSubject', () => {
  const subject = new BehaviorSubject<Content | undefined>(undefined)
  const got: Content[] = []
  subject.subscribe((content) => {
    if (content !== undefined) got.push(content)
  })
  return { target: subject, name: 'next', publish: (content) => subject.next(content), got, touched: [subject, Subject.prototype] }
})
