import { headers } from '@nats-io/transport-node'
import { expect, it } from 'vitest'
import { baggageIn, withBaggage } from './headers.js'

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const encoded = (text: string) => ({ encode: () => Buffer.from(text) })

it('writes the header into a message without headers', () => {
  const made = withBaggage(undefined, (given) => `chaos=1${String(given)}`)
  expect(textOf(made?.encode() ?? Buffer.alloc(0))).toBe('NATS/1.0\r\nbaggage: chaos=1undefined\r\n\r\n')
})

it('keeps all other headers, byte by byte, and gives the value of the application to the writer', () => {
  const own = headers()
  own.set('Other', 'grün: ✓')
  own.set('Baggage', 'user=alice')
  own.append('baggage', 'b=2')
  const made = withBaggage(own as never, (given) => `${String(given)},chaos=1`)
  const bytes = made?.encode() ?? Buffer.alloc(0)
  expect(textOf(bytes)).toBe('NATS/1.0\r\nOther: grün: ✓\r\nbaggage: user=alice,b=2,chaos=1\r\n\r\n')
  expect(baggageIn(bytes)).toBe('user=alice,b=2,chaos=1')
})

it('reads nothing from headers that are missing or too large', () => {
  expect(baggageIn(Buffer.alloc(0))).toBeUndefined()
  const large = encoded(`NATS/1.0\r\nbaggage: a\r\nother: ${'x'.repeat(70_000)}\r\n\r\n`)
  expect(baggageIn(large.encode())).toBeUndefined()
  expect(withBaggage(large, () => 'a')).toBe(large)
})
