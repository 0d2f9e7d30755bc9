import { describe, expect, it } from 'vitest'
import { ResponseHead } from './response-head.js'

/** The length of a head, and whether a tunnel follows, however its bytes are split. */
function readOf(text: string, method = 'GET'): readonly unknown[] {
  const bytes = Buffer.from(text)
  const [whole, split] = [new ResponseHead(method), new ResponseHead(method)]
  const length = whole.lengthIn(bytes)
  expect([...bytes].reduce((sum, byte) => sum + split.lengthIn(Uint8Array.of(byte)), 0)).toBe(length)
  expect(split.isTunnel).toBe(whole.isTunnel)
  return [length, whole.isTunnel]
}

describe('ResponseHead', () => {
  it.each([
    ['a head', 'HTTP/1.1 200 OK\r\na: b\r\n\r\n', 'body', 'GET', false],
    ['bare line feeds', 'HTTP/1.1 200 OK\na: b\n\n', 'body', 'GET', false],
    ['no headers', 'HTTP/1.0 404 Not Found\r\n\r\n', '\r\n\r\n', 'GET', false],
    [
      'interim responses',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
      'body',
      'GET',
      false,
    ],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', '\x81\x05hello', 'GET', true],
    ['a tunnel', 'HTTP/1.1 200 Connection established\r\n\r\n', 'bytes', 'CONNECT', true],
    ['a refused tunnel', 'HTTP/1.1 503 Service Unavailable\r\n\r\n', 'sorry', 'CONNECT', false],
  ])('ends with %s', (_what, head, rest, method, isTunnel) => {
    expect(readOf(head + rest, method)).toEqual([Buffer.byteLength(head), isTunnel])
  })

  it('counts a head that never ends, and keeps none of it', () => {
    const head = new ResponseHead('GET')
    const line = Buffer.from(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(10_000)}`)
    expect(head.lengthIn(line)).toBe(line.length)
    const more = Buffer.alloc(1_000_000, 'x')
    expect(head.lengthIn(more)).toBe(more.length)
  })
})
