import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clientHello } from '../../test/tls.js'
import { NO_HELLO, type ClientHello } from './client-hello.js'
import { HelloReader, MAX_HELLO } from './hello-reader.js'

/** What a reader makes of pieces, and after how many of them. */
function readAll(pieces: Iterable<Buffer>): { readonly hello: ClientHello | undefined; readonly count: number } {
  const reader = new HelloReader()
  let count = 0
  for (const piece of pieces) {
    count += 1
    const hello = reader.read(piece)
    if (hello !== undefined) return { hello, count }
  }
  return { hello: undefined, count }
}

const helloIn = (...pieces: readonly Buffer[]): ClientHello | undefined => readAll(pieces).hello
const ASKED = { serverName: 'db.test', alpnProtocols: ['h2', 'http/1.1'] }
const asks = { servername: 'DB.test', ALPNProtocols: ['h2', 'http/1.1'] }

/** Puts a message into records of at most so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size)
    records.push(Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece)
  }
  return Buffer.concat(records)
}

/** A hello with these extensions, by number. */
function helloWith(...extensions: readonly (readonly [type: number, content: string])[]): Buffer {
  const sized = (bytes: Buffer, size: number): Buffer => {
    const length = Buffer.alloc(size)
    length.writeUIntBE(bytes.length, 0, size)
    return Buffer.concat([length, bytes])
  }
  const listed = extensions.map(([type, content]) =>
    Buffer.concat([Buffer.from([type >> 8, type & 255]), sized(Buffer.from(content, 'hex'), 2)]),
  )
  const body = [Buffer.alloc(34), sized(Buffer.alloc(32), 1), sized(Buffer.alloc(4), 2), sized(Buffer.alloc(1), 1)]
  const message = Buffer.concat([Buffer.from([1]), sized(Buffer.concat([...body, sized(Buffer.concat(listed), 2)]), 3)])
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(message, 2)])
}

describe('the hello of a client of Node.js', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('says the server name and the protocols in %s', async (version) => {
    const hello = await clientHello({ ...asks, minVersion: version, maxVersion: version })
    expect(helloIn(hello)).toEqual(ASKED)
  })

  it('says neither for a client that does not', async () => {
    expect(helloIn(await clientHello({}))).toEqual({ serverName: undefined, alpnProtocols: [] })
  })

  it('is read the same in any pieces, as soon as it is whole', async () => {
    const hello = await clientHello(asks)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 20 }), (sizes) => {
        let at = 0
        const pieces = sizes.map((size) => hello.subarray(at, (at += size)))
        const rest = hello.subarray(at)
        const reader = new HelloReader()
        const early = pieces.map((piece) => reader.read(piece)).find((found) => found !== undefined)
        if (rest.length > 0) expect(early).toBeUndefined()
        expect(early ?? reader.read(rest)).toEqual(ASKED)
      }),
    )
    const bytes = [...hello].map((byte) => Buffer.from([byte]))
    expect(readAll(bytes)).toEqual({ hello: ASKED, count: hello.length })
  })

  it.each([1, 2, 3, 5, 100])('is read from records of %i bytes', async (size) => {
    expect(helloIn(inRecords(await clientHello(asks), size))).toEqual(ASKED)
  })

  it('is read whatever follows it', async () => {
    expect(helloIn(Buffer.concat([await clientHello(asks), Buffer.alloc(100_000)]))).toEqual(ASKED)
  })
})

describe('extensions', () => {
  const name = [0, '000a00000764622e74657374'] as const
  const alpn = [16, '0003026832'] as const

  it('are skipped if they are unknown, GREASE or Encrypted Client Hello', () => {
    const hello = helloWith([0x0a_0a, ''], [0xfe_0d, '00'.repeat(200)], name, [0xda_da, '00'], alpn, [51, 'ffff'])
    expect(helloIn(hello)).toEqual({ serverName: 'db.test', alpnProtocols: ['h2'] })
  })

  it('give GREASE among the protocols as the bytes that it is', () => {
    expect(helloIn(helloWith([16, '000602fafa026832']))?.alpnProtocols).toEqual(['\xfa\xfa', 'h2'])
  })

  it.each([
    ['a name with a control character', '000a000007640a2e74657374'],
    ['an empty name', '0003000000'],
    ['a name of another type', '000a01000764622e74657374'],
    ['no name', '0000'],
  ])('give no server name for %s', (_what, content) => {
    expect(helloIn(helloWith([0, content]))).toEqual(NO_HELLO)
  })

  it.each([
    ['longer than the list', '000a0000ff64622e74657374'],
    ['cut', '000a0000'],
    ['empty', ''],
  ])('make the whole hello unreadable if the name is %s', (_what, content) => {
    expect(helloIn(helloWith([0, content], alpn))).toBe(NO_HELLO)
  })

  // Offered to a server, such a name would have Node.js abort the process.
  it.each([
    ['the only', '000100'],
    ['the last', '000402683200'],
  ])('make the whole hello unreadable if the name of %s protocol is empty', (_what, content) => {
    expect(helloIn(helloWith(name, [16, content]))).toBe(NO_HELLO)
  })
})

describe('what is no hello', () => {
  it.each([
    ['HTTP', Buffer.from('G')],
    ['the request for TLS of PostgreSQL', Buffer.from('0000000804d2162f', 'hex')],
    ['another version of the record layer', Buffer.from([22, 2])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1])],
    ['another message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['a hello that is too long', Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0])],
  ])('is known at once: %s', (_what, bytes) => {
    expect(helloIn(bytes)).toBe(NO_HELLO)
  })

  it('is told from at most so many bytes, and never by an exception', () => {
    const begins = fc.constantFrom('', '16', '1603', '160301', '1603010200', '16030102000100', '160301020001000100')
    const bytes = fc.tuple(begins, fc.uint8Array({ maxLength: 2_000 }))
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 60 }), (parts) => {
        let total = 0
        const reader = new HelloReader()
        for (const [begin, rest] of parts) {
          const piece = Buffer.concat([Buffer.from(begin, 'hex'), rest])
          total += piece.length
          if (reader.read(piece) !== undefined) return
        }
        expect(total).toBeLessThan(MAX_HELLO)
      }),
    )
  })

  it('is told from a hello that never ends', () => {
    const endless = inRecords(
      Buffer.concat([Buffer.alloc(5), Buffer.from([1, 0, 0x7f, 0xfc]), Buffer.alloc(50_000)]),
      7,
    )
    const pieces = Array.from({ length: 1_000 }, (_none, n) => endless.subarray(n * 100, (n + 1) * 100))
    const { hello, count } = readAll(pieces)
    expect([hello, count]).toEqual([NO_HELLO, Math.ceil(MAX_HELLO / 100)])
  })

  it('is told from any damage to a real hello', async () => {
    const hello = await clientHello(asks)
    fc.assert(
      fc.property(fc.nat(hello.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const damaged = Buffer.from(hello)
        damaged[at] = byte
        const found = helloIn(damaged, Buffer.alloc(MAX_HELLO))
        expect(found).toBeDefined()
        expect(found?.serverName ?? 'none').toMatch(/^[\w.-]+$/)
      }),
      { numRuns: 500 },
    )
  })
})
