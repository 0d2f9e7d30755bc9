import { inject, injectedBy, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Duplex, PassThrough, Readable, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { ReadableStream } from 'node:stream/web'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.js'
import { cutResults } from './faults/cut-results.js'
import { failAfterCall } from './faults/fail-after-call.js'
import { delayCalls } from './faults/delay-calls.js'
import { hangCalls } from './faults/hang-calls.js'
import { timeOutCalls } from './faults/time-out-calls.js'
import { corruptResults } from './faults/corrupt-results.js'
import { refuseCalls } from './faults/refuse-calls.js'

const answers = 'stream'

/** What a stream shows of itself, apart from its data. */
function shape(stream: object): readonly unknown[] {
  // A listener adds a key of the emitter.
  return [Object.getPrototypeOf(stream), ...Reflect.ownKeys(stream).filter((key) => key !== '_eventsCount')]
}

/** A service whose one method returns a stream that the test has made. */
function serving<Stream extends object>(stream: Stream): { open: () => Stream } {
  return { open: () => stream }
}

describe('a stream that begins late', () => {
  it('stays a stream of bytes: the object that the service made, with its class, modes, encoding and methods', async () => {
    class Download extends Readable {
      readonly url = 'x:'
      #parts = ['abcdef', 'ghijkl']
      constructor() {
        super({ highWaterMark: 7 })
      }
      override _read(): void {
        this.push(this.#parts.shift() ?? null)
      }
      describe(): number {
        return this.#parts.length
      }
    }
    const clock = manualClock()
    const made = new Download()
    const before = shape(made)
    const target = serving(made)
    const injection = await inject(delayCalls({ delayMs: 100, methods: 'open', answers }), target, { clock })
    const stream = target.open()
    expect(stream).toBe(made)
    expect([stream.url, stream.describe(), stream.readableObjectMode, stream.readableHighWaterMark]).toEqual([
      'x:',
      2,
      false,
      7,
    ])
    const readable = once(stream, 'readable')
    expect(stream.read(3)).toBe(null)
    await clock.advance(99)
    expect(stream.describe()).toBe(2)
    await clock.advance(1)
    await readable
    expect(String(stream.read(3))).toBe('abc')
    expect(shape(made)).toEqual(before)
    await injection.rollback()
    stream.destroy()
  })

  it('keeps text whole that an encoding puts together from chunks', async () => {
    const target = serving(
      Readable.from([Buffer.from([0xe2, 0x82]), Buffer.from([0xac])], { objectMode: false }).setEncoding('utf8'),
    )
    await withFault(delayCalls({ delayMs: 1, methods: 'open', answers }), target, async () => {
      let text = ''
      for await (const chunk of target.open()) text += String(chunk)
      expect(text).toBe('€')
    })
  })

  it('keeps objects apart', async () => {
    const target = serving(Readable.from([{ a: 1 }, { a: 2 }]))
    await withFault(delayCalls({ delayMs: 1, methods: 'open', answers }), target, async () =>
      expect(await target.open().toArray()).toEqual([{ a: 1 }, { a: 2 }]),
    )
  })

  it('holds what a source sends on its own, and what has come already', async () => {
    const clock = manualClock()
    const source = new PassThrough()
    source.write('early ')
    const target = serving(source)
    await withFault(delayCalls({ delayMs: 100, methods: 'open', answers }), target, { clock }, async () => {
      const stream = target.open()
      let text = ''
      stream.on('data', (chunk) => (text += String(chunk)))
      source.end('late')
      await new Promise(setImmediate)
      expect(text).toBe('')
      await clock.advance(100)
      await finished(stream)
      expect(text).toBe('early late')
    })
  })

  it('holds what a caller writes, and then writes it in order', async () => {
    const clock = manualClock()
    const written: string[] = []
    const target = serving(
      new Writable({
        write(chunk, _encoding, done) {
          written.push(String(chunk))
          done()
        },
        final(done) {
          written.push('end')
          done()
        },
      }),
    )
    await withFault(delayCalls({ delayMs: 100, methods: 'open', answers }), target, { clock }, async () => {
      const stream = target.open()
      stream.write('a')
      stream.end('b')
      await clock.advance(99)
      expect(written).toEqual([])
      await clock.advance(1)
      await finished(stream)
      expect(written).toEqual(['a', 'b', 'end'])
    })
  })

  it('keeps both directions of a duplex apart', async () => {
    const made = new Duplex({
      read: () => undefined,
      write(chunk, _encoding, done) {
        this.push(`echo ${String(chunk)}`)
        done()
      },
      final(done) {
        this.push(null)
        done()
      },
    })
    const target = serving(made)
    await withFault(delayCalls({ delayMs: 1, methods: 'open', answers }), target, async () => {
      let text = ''
      await pipeline(Readable.from(['a']), target.open(), async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) text += chunk.toString()
      })
      expect(text).toBe('echo a')
    })
  })

  it('is the response of node:http with its own members, whose bytes wait', async () => {
    const server = http.createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const clock = manualClock()
    const get = (): Promise<http.IncomingMessage> =>
      new Promise((resolve, reject) => {
        http
          .get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent: false }, resolve)
          .on('error', reject)
      })
    const response = await get()
    const target = serving(response)
    await withFault(delayCalls({ delayMs: 100, methods: 'open', answers }), target, { clock }, async () => {
      const stream = target.open()
      let text = ''
      stream.on('data', (chunk) => (text += String(chunk)))
      await new Promise(setImmediate)
      expect([stream.statusCode, text]).toEqual([200, ''])
      await clock.advance(100)
      await finished(stream)
      expect([text, stream.complete]).toEqual(['hello', true])
    })
  })

  it('is that of a method that answers with the promise of a stream', async () => {
    const clock = manualClock()
    const target = { open: () => Promise.resolve(Readable.from(['a'])) }
    await withFault(delayCalls({ delayMs: 100, methods: 'open', answers }), target, { clock }, async () => {
      let stream: Readable | undefined
      void target.open().then((opened) => (stream = opened))
      await clock.advance(99)
      expect(stream).toBeUndefined()
      await clock.advance(1)
      await Promise.resolve()
      expect(await stream?.toArray()).toEqual(['a'])
    })
  })

  it('goes on when the injection ends, and is bare then', async () => {
    const path = join(temporaryFolder(), 'file')
    fs.writeFileSync(path, 'content')
    const made = fs.createReadStream(path)
    await once(made, 'open')
    const before = shape(made)
    const target = serving(made)
    const injection = await inject(hangCalls({ methods: 'open', answers }), target)
    const reading = target.open().toArray()
    await new Promise(setImmediate)
    expect(injection.held).toBe(1)
    await injection.rollback()
    expect(String((await reading)[0])).toBe('content')
    // `fd` and `closed` flags are written in place: no key comes or goes.
    expect(shape(made)).toEqual(before)
  })

  it('breaks with the error of its timeout, once', async () => {
    const clock = manualClock()
    const made = new PassThrough()
    const target = serving(made)
    await withFault(timeOutCalls({ timeoutMs: 100, methods: 'open', answers }), target, { clock }, async () => {
      const failed = once(target.open(), 'close').catch((error: unknown) => error)
      await clock.advance(100)
      expect(injectedBy(await failed)).toBe('adapter/time-out-calls')
      expect([made.destroyed, made.errored]).toEqual([true, await failed])
    })
  })

  it('counts as held no longer once its caller has destroyed it, and is bare', async () => {
    const made = new PassThrough()
    const before = shape(made)
    const target = serving(made)
    await withFault(hangCalls({ methods: 'open', answers }), target, async (injection) => {
      target.open().destroy()
      await once(made, 'close')
      expect(injection.held).toBe(0)
      expect(shape(made)).toEqual(before)
    })
  })
})

describe('a stream that is cut while data waits in it', () => {
  it('breaks at the end of the injection at the latest, and is bare', async () => {
    const made = new PassThrough()
    const before = shape(made)
    const target = serving(made)
    const injection = await inject(cutResults({ methods: 'open', answers, afterItems: 1 }), target)
    const stream = target.open()
    stream.write('a')
    stream.write('b')
    expect([made.destroyed, made.readableLength]).toEqual([false, 1])
    const failed = once(stream, 'close').catch((error: unknown) => error)
    await injection.rollback()
    expect(injectedBy(await failed)).toBe('adapter/cut-results')
    expect(shape(made)).toEqual(before)
  })
})

describe('a stream that was full before its caller got it', () => {
  /** A small answer, which has come as a whole when its caller gets it. */
  const small = (): PassThrough => {
    const stream = new PassThrough()
    for (const chunk of 'abc') stream.write(chunk)
    stream.end()
    return stream
  }
  const ways: Readonly<Record<string, (stream: Readable) => Promise<string>>> = {
    'for await': async (stream) => {
      let read = ''
      try {
        for await (const chunk of stream) read += String(chunk)
        return `${read}.`
      } catch {
        return `${read}!`
      }
    },
    data: (stream) =>
      new Promise((resolve) => {
        let read = ''
        stream.on('data', (chunk) => (read += String(chunk))).on('end', () => (read += '.'))
        stream.on('error', () => (read += '!')).on('close', () => resolve(read))
      }),
  }
  it.each(Object.entries(ways))('is cut, read by %s', async (_way, read) => {
    const service = { read: small }
    await withFault(cutResults({ methods: 'read', answers, afterItems: 2 }), service, async () =>
      expect(await read(service.read())).toBe('ab!'),
    )
  })

  it('fails where it would have ended', async () => {
    const service = { read: small }
    await withFault(failAfterCall({ methods: 'read', answers, message: 'lost' }), service, async () =>
      expect(await ways['data']?.(service.read())).toBe('abc!'),
    )
  })

  it('has each chunk damaged', async () => {
    const service = { read: small }
    await withFault(corruptResults({ methods: 'read', answers, damage: 'empty' }), service, async () =>
      expect(await ways['for await']?.(service.read())).toBe('.'),
    )
  })
})

describe('the promise of an answer of many', () => {
  const service = {
    stream: () => Promise.resolve(Readable.from(['a', 'b', 'c'])),
    'web-stream': () => Promise.resolve(Readable.toWeb(Readable.from(['a', 'b', 'c']))),
    'async-iterator': () => Promise.resolve(Readable.from(['a', 'b', 'c'])[Symbol.asyncIterator]()),
    iterator: () => Promise.resolve(['a', 'b', 'c'][Symbol.iterator]()),
  }
  it.each(Object.keys(service) as (keyof typeof service)[])('is cut behind what still comes: %s', async (methods) => {
    await withFault(cutResults({ methods, answers: methods, afterItems: 2 }), service, async () => {
      const came: unknown[] = []
      const reading = async (): Promise<void> => {
        for await (const item of (await service[methods]()) as AsyncIterable<unknown>) came.push(item)
      }
      await expect(reading()).rejects.toMatchObject({ code: 'ECONNRESET' })
      expect(came).toEqual(['a', 'b'])
    })
  })
})

describe('a stream that is refused', () => {
  it('can be written to by a caller that expects to, and tells the error', async () => {
    const target = serving(new PassThrough())
    await withFault(refuseCalls({ methods: 'open', answers, message: 'refused' }), target, async () => {
      const stream = target.open()
      stream.on('error', () => undefined)
      stream.write('a')
      await expect(finished(stream)).rejects.toThrow('refused')
    })
  })
})

describe('a web stream of bytes', () => {
  const bytes = (): ReadableStream<Uint8Array> => {
    const parts = ['abcdef', 'ghijkl']
    return new ReadableStream({
      type: 'bytes',
      pull(controller) {
        const part = parts.shift()
        if (part !== undefined) controller.enqueue(new TextEncoder().encode(part))
        else {
          controller.close()
          ;(controller.byobRequest as unknown as { respond: (bytes: number) => void } | null)?.respond(0)
        }
      },
    })
  }
  /** Reads all with the caller's own buffer of three bytes. */
  const readByThree = async (stream: ReadableStream<Uint8Array>): Promise<string[]> => {
    const reader = stream.getReader({ mode: 'byob' })
    const seen: string[] = []
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(3))
      if (done) return seen
      seen.push(new TextDecoder().decode(value))
    }
  }

  it.each([
    ['late', () => delayCalls({ delayMs: 1, methods: 'open', answers: 'web-stream' }), ['abc', 'def', 'ghi', 'jkl']],
    ['damaged', () => corruptResults({ methods: 'open', answers: 'web-stream' }), ['abc', 'ghi']],
    ['emptied', () => corruptResults({ methods: 'open', answers: 'web-stream', damage: 'empty' }), []],
  ])('stays one when it is %s: a reader fills a buffer of its own', async (_how, fault, expected) => {
    const target = { open: bytes }
    await withFault(fault(), target, async () => expect(await readByThree(target.open())).toEqual(expected))
  })

  it('comes as it is after the end of the injection that it was opened under', async () => {
    const target = { open: bytes }
    const injection = await inject(corruptResults({ methods: 'open', answers: 'web-stream' }), target)
    const stream = target.open()
    await injection.rollback()
    expect(await readByThree(stream)).toEqual(['abc', 'def', 'ghi', 'jkl'])
  })
})

describe('an iteration across the end of the injection', () => {
  const service = {
    *list(): Generator<string> {
      yield* ['abcd', 'efgh', 'ijkl']
    },
    async *scan(): AsyncGenerator<string> {
      yield* ['abcd', 'efgh', 'ijkl']
      await Promise.resolve()
    },
  }

  it('comes as it is from then on, though a loop keeps the `next` it began with', async () => {
    const injection = await inject(corruptResults({ methods: ['list', 'scan'] }), service)
    const seen: string[] = []
    const [listed, scanned] = [service.list(), service.scan()]
    for await (const item of scanned) {
      seen.push(item)
      await injection.rollback()
    }
    expect(seen).toEqual(['ab', 'efgh', 'ijkl'])
    expect([...listed]).toEqual(['abcd', 'efgh', 'ijkl'])
    expect([Reflect.ownKeys(listed), Reflect.ownKeys(scanned)]).toEqual([[], []])
  })

  it('waits on its own generator, which begins nothing if it is closed before', async () => {
    const clock = manualClock()
    let begun = 0
    const target = {
      async *scan(): AsyncGenerator<number> {
        begun += 1
        yield Promise.resolve(begun)
      },
    }
    await withFault(delayCalls({ delayMs: 100, methods: 'scan' }), target, { clock }, async () => {
      const scan = target.scan()
      const first = scan.next()
      expect(await scan.return(undefined)).toEqual({ value: undefined, done: true })
      await clock.advance(100)
      expect(await first).toEqual({ value: undefined, done: true })
      expect(begun).toBe(0)
    })
  })

  it('keeps the methods of a cursor, and changes the iterators that it makes', async () => {
    class Cursor {
      limit = 2
      count(): number {
        return this.limit
      }
      async *[Symbol.asyncIterator](): AsyncGenerator<string> {
        for (let n = 0; n < this.limit; n += 1) yield Promise.resolve(`item${n}`)
      }
    }
    const target = { find: () => new Cursor() }
    const injection = await inject(
      corruptResults({ methods: 'find', answers: 'async-iterator', change: (item: string) => item.toUpperCase() }),
      target,
    )
    const cursor = target.find()
    const seen: string[] = []
    for await (const item of cursor) seen.push(item)
    expect([cursor.count(), cursor.constructor, seen]).toEqual([2, Cursor, ['ITEM0', 'ITEM1']])
    await injection.rollback()
    expect(Reflect.ownKeys(cursor)).toEqual(['limit'])
  })
})
