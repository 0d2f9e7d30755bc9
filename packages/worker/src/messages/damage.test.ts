import { EventEmitter } from 'node:events'
import { inject } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { corruptMessages } from '../faults/corrupt-messages.js'
import { dropMessages } from '../faults/drop-messages.js'
import { damaged, type Damage } from './damage.js'

/** An end of an IPC channel, as its messages leave it. */
class Channel extends EventEmitter {
  readonly connected = true
  readonly sent: unknown[] = []
  send(message: unknown): boolean {
    this.sent.push(message)
    return true
  }
}

describe('damage', () => {
  const cases: readonly [Damage, string | undefined, unknown][] = [
    ['garble', 'id', { id: -2, note: undefined, at: { ms: [1, 2] } }],
    ['garble', undefined, { id: -2, note: undefined, at: { ms: [1, 2] } }],
    ['remove', 'at.ms.1', { id: 1, note: undefined, at: { ms: [1, undefined] } }],
    ['truncate', 'at.ms', { id: 1, note: undefined, at: { ms: [1] } }],
    ['garble', 'at.missing', { id: 1, note: undefined, at: { ms: [1, 2] } }],
  ]
  it.each(cases)(
    'by %s at %s is done to a copy, so that a message of the application stays what it is',
    (damage, field, expected) => {
      const message = Object.freeze({ id: 1, note: undefined, at: Object.freeze({ ms: Object.freeze([1, 2]) }) })
      expect(damaged(message, damage, field)).toStrictEqual(expected)
      expect(message).toStrictEqual({ id: 1, note: undefined, at: { ms: [1, 2] } })
    },
  )

  it('is done to a copy of a message, too, that holds more than plain data', async () => {
    for (const message of [
      { id: 1, note: undefined },
      { id: 1, at: new Date(0) },
      Object.freeze({ id: 1, note: undefined }),
    ]) {
      const channel = new Channel()
      const injection = await inject(corruptMessages({ field: 'id', direction: 'outgoing' }), channel as never)
      channel.send(message)
      await injection.rollback()
      expect(message.id).toBe(1)
      expect(channel.sent).toMatchObject([{ id: -2 }])
    }
  })
})

it('sends a message on that throws when it is looked at', async () => {
  const message = new Proxy(
    {},
    {
      has() {
        throw new Error('a trap of the application')
      },
    },
  )
  const channel = new Channel()
  const injection = await inject(dropMessages({ direction: 'outgoing' }), channel as never, { rate: 0 })
  expect(channel.send(message)).toBe(true)
  expect(channel.sent[0] === message).toBe(true)
  await injection.rollback()
})
