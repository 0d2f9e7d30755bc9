import { expect, it } from 'vitest'
import { Findings } from './findings.js'
import { Oracle, type Sent } from './oracle.js'

/** An oracle on a manual clock, with a listener that is connected. */
function oracle() {
  const findings = new Findings()
  const time = { now: 0 }
  const made = new Oracle(findings, 1_000, () => time.now)
  made.connected()
  const send = (id: string): Sent => made.sent({ title: `title of ${id}`, content: 'c', tags: [], mood: 'm' })
  const acknowledge = (id: string, sent: Sent): void => made.acknowledged(sent, { id, ...sent.draft })
  const push = (id: string): void =>
    made.pushed(JSON.stringify({ event: 'journal:changed', payload: { method: 'POST', id } }))
  return { findings, time, made, send, acknowledge, push, write: (id: string): void => acknowledge(id, send(id)) }
}

it('takes a push that comes before its acknowledgement', () => {
  const { findings, time, send, acknowledge, push, made } = oracle()
  const sent = send('a')
  push('a')
  acknowledge('a', sent)
  time.now = 5_000
  made.expire()
  expect(findings.offenders()).toEqual([])
})

it('counts a push that comes too late as undelivered, whoever looks first', () => {
  const { findings, time, write, push, made } = oracle()
  write('a')
  write('b')
  time.now = 1_000
  push('a')
  time.now = 1_001
  push('b')
  made.expire()
  expect(findings.offenders()).toEqual(['entry b: not pushed within 1000 ms'])
})

it('wants no order of writes that were under way at the same time', () => {
  const { findings, send, acknowledge, push } = oracle()
  const [a, b] = [send('a'), send('b')]
  acknowledge('a', a)
  acknowledge('b', b)
  push('b')
  push('a')
  expect(findings.offenders()).toEqual([])
})

it('wants the order of a write that was acknowledged before another was sent', () => {
  const { findings, write, push } = oracle()
  for (const id of ['a', 'b']) write(id)
  for (const id of ['b', 'a']) push(id)
  expect(findings.offenders()).toEqual(['entry a: pushed after an entry that was written later'])
})

it('blames a lost connection, not the pushes that were due on it', () => {
  const { findings, time, made, write } = oracle()
  write('a')
  made.disconnected('lost its connection: closed with 1006')
  write('b')
  made.connected()
  time.now = 5_000
  made.expire()
  expect(findings.offenders()).toEqual(['the WebSocket listener lost its connection: closed with 1006'])
  expect(findings.count('undelivered')).toBe(1)
})

it('still counts what was due before the connection was lost', () => {
  const { findings, time, made, write } = oracle()
  write('a')
  time.now = 1_001
  made.disconnected('lost its connection')
  expect(findings.count('undelivered')).toBe(2)
})

it('names the first of each kind, ten in all', () => {
  const findings = new Findings()
  for (let n = 0; n < 20; n += 1) findings.add('failed', `failed ${n}`)
  findings.add('lost', 'lost 0')
  expect(findings.offenders()).toEqual(['failed 0', 'lost 0', ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `failed ${n}`)])
})
