import { expect, it } from 'vitest'
import { messageIdentity } from './message-identity.js'

it('compares bytes by content and text by value, however long they are', () => {
  const bytes = (last: number): Buffer => Buffer.concat([Buffer.alloc(1_000), Buffer.from([last])])
  expect(messageIdentity(bytes(1), undefined, false)).toBe(messageIdentity(bytes(1), undefined, false))
  expect(messageIdentity(bytes(1), undefined, false)).not.toBe(messageIdentity(bytes(2), undefined, false))
  expect(messageIdentity({ id: 'x'.repeat(1_000) }, 'id', false)).toHaveLength(44)
  expect(messageIdentity(Buffer.from('id'), undefined, true)).toBe('id')
})

it('takes bytes that no text could hold', () => {
  // The longest text of V8 has 2^29 - 24 characters.
  expect(messageIdentity(new Uint8Array(2 ** 29), undefined, false)).toHaveLength(44)
})
