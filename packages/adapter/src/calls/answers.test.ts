import { withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline, finished } from 'node:stream/promises'
import { ReadableStream } from 'node:stream/web'
import { describe, expect, it } from 'vitest'
import { Store } from '../../test/store.js'
import { corruptResults } from './faults/corrupt-results.js'
import { delayCalls } from './faults/delay-calls.js'
import { failAfterCall } from './faults/fail-after-call.js'
import { refuseCalls } from './faults/refuse-calls.js'

/** A service that answers with streams. */
class Files {
  opened = 0
  /** Chunks that the source was asked for. */
  given = 0
  read(): Readable {
    this.opened += 1
    return new Lines(['abcd', 'efgh'], () => (this.given += 1))
  }
  fetch(): ReadableStream<string> {
    this.opened += 1
    const chunks = ['abcd', 'efgh']
    return new ReadableStream(
      {
        pull: (controller) => {
          this.given += 1
          const chunk = chunks.shift()
          if (chunk === undefined) controller.close()
          else controller.enqueue(chunk)
        },
      },
      { highWaterMark: 0 },
    )
  }
}

/** A stream class of the application's own. */
class Lines extends Readable {
  readonly #lines: string[]
  readonly #onRead: () => void
  constructor(lines: string[], onRead: () => void = () => undefined) {
    super()
    this.#lines = lines
    this.#onRead = onRead
  }
  override _read(): void {
    this.#onRead()
    this.push(this.#lines.shift() ?? null)
  }
}

/** What came before a stream or iteration ended, and how it ended. */
async function drained(answer: AsyncIterable<unknown>): Promise<string[]> {
  const seen: string[] = []
  try {
    for await (const chunk of answer) seen.push(String(chunk))
  } catch (error) {
    seen.push(`! ${(error as Error).message}`)
  }
  return seen
}

describe.each([
  ['stream', 'read'],
  ['web-stream', 'fetch'],
] as const)('an answer that is a %s', (answers, methods) => {
  it('breaks before its first chunk when it is refused, and the service is not asked', async () => {
    const files = new Files()
    await withFault(refuseCalls({ methods, answers, message: 'refused' }), files, async () =>
      expect(await drained(files[methods]())).toEqual(['! refused']),
    )
    expect(files.opened).toBe(0)
  })

  it('gives every chunk and breaks where it would have ended, when it fails after the call', async () => {
    const files = new Files()
    await withFault(failAfterCall({ methods, answers, message: 'lost' }), files, async () =>
      expect(await drained(files[methods]())).toEqual(['abcd', 'efgh', '! lost']),
    )
  })

  it('has each chunk damaged', async () => {
    const files = new Files()
    await withFault(corruptResults({ methods, answers }), files, async () =>
      expect(await drained(files[methods]())).toEqual(['ab', 'ef']),
    )
  })

  it('begins late, and then gives what it gives in health', async () => {
    const clock = manualClock()
    const files = new Files()
    await withFault(delayCalls({ delayMs: 100, methods, answers }), files, { clock }, async () => {
      const reading = drained(files[methods]())
      await clock.advance(99)
      expect(files.given).toBe(0)
      await clock.advance(1)
      expect((await reading).join('')).toBe('abcdefgh')
    })
  })
})

describe('a web stream that begins late', () => {
  it('asks the service for nothing when its caller had enough before it began, and passes a later cancel on', async () => {
    const clock = manualClock()
    let cancelled: unknown
    const target = {
      pulled: 0,
      fetch(): ReadableStream<string> {
        return new ReadableStream(
          {
            pull: (controller) => {
              this.pulled += 1
              controller.enqueue('chunk')
            },
            cancel: (reason) => void (cancelled = reason),
          },
          { highWaterMark: 0 },
        )
      },
    }
    await withFault(
      delayCalls({ delayMs: 100, methods: 'fetch', answers: 'web-stream' }),
      target,
      { clock },
      async () => {
        await target.fetch().cancel('before')
        await clock.advance(100)
        expect([target.pulled, cancelled]).toEqual([0, 'before'])
        const reader = target.fetch().getReader()
        await clock.advance(100)
        expect(await reader.read()).toEqual({ value: 'chunk', done: false })
        await reader.cancel('after')
        expect([target.pulled, cancelled]).toEqual([1, 'after'])
      },
    )
  })
})

describe('a stream that begins late', () => {
  it('closes at once when its caller destroys it, though it has begun to read, and asks the service for nothing', async () => {
    const clock = manualClock()
    const files = new Files()
    await withFault(delayCalls({ delayMs: 100, methods: 'read', answers: 'stream' }), files, { clock }, async () => {
      const stream = files.read().resume()
      await clock.advance(50)
      const closed = once(stream, 'close')
      stream.destroy()
      await closed
      const broken = files.read().resume()
      await clock.advance(1)
      const failed = once(broken, 'close')
      broken.destroy(new Error('enough'))
      await expect(failed).rejects.toThrow('enough')
      await clock.advance(100)
      expect(files.given).toBe(0)
    })
  })
})

describe('a stream', () => {
  it('stays the object and the class that the service made, and works in a pipeline', async () => {
    const files = new Files()
    await withFault(corruptResults({ methods: 'read', answers: 'stream' }), files, async () => {
      const stream = files.read()
      expect(stream).toBeInstanceOf(Lines)
      const seen: string[] = []
      await pipeline(stream, async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) seen.push(chunk.toString())
      })
      expect(seen).toEqual(['ab', 'ef'])
    })
  })

  it('that is refused gives its caller time to listen, and errs once', async () => {
    const files = new Files()
    await withFault(refuseCalls({ methods: 'read', answers: 'stream' }), files, async () => {
      const stream = files.read()
      expect(stream).toBeInstanceOf(Readable)
      const [error] = (await once(stream, 'error')) as [Error]
      expect(error.message).toBe('Service unavailable')
      await expect(finished(stream)).rejects.toBe(error)
    })
  })

  it('that begins late closes what it waits for when its caller has had enough', async () => {
    const files = new Files()
    await withFault(delayCalls({ delayMs: 0, methods: 'read', answers: 'stream' }), files, async () => {
      for await (const chunk of files.read()) {
        expect(String(chunk)).toMatch(/^abcd/)
        break
      }
    })
    expect(files.opened).toBe(1)
  })
})

describe('an iteration', () => {
  it('keeps its return value, what is passed to it, and early ends', async () => {
    const target = {
      closed: 0,
      *count(): Generator<number, string, number> {
        try {
          let sum = 0
          while (sum < 10) sum += yield sum
          return `sum ${sum}`
        } finally {
          this.closed += 1
        }
      },
    }
    await withFault(corruptResults({ methods: 'count', change: (sum: number) => -sum }), target, () => {
      const count = target.count()
      expect([count.next(), count.next(3), count.next(8)]).toEqual([
        { value: -0, done: false },
        { value: -3, done: false },
        { value: 'sum 11', done: true },
      ])
      expect(Object.prototype.toString.call(count)).toBe('[object Generator]')
      for (const _sum of target.count() as Iterable<number>) break
      expect(target.closed).toBe(2)
    })
  })

  it('breaks at its first item when it is refused, as a generator does, and the service is not asked', async () => {
    const store = new Store()
    await withFault(refuseCalls({ methods: ['keys', 'scan'], message: 'refused' }), store, async () => {
      const [keys, scan] = [store.keys(), store.scan()]
      expect(() => keys.next()).toThrow('refused')
      expect(keys.next()).toEqual({ value: undefined, done: true })
      await expect(scan.next()).rejects.toThrow('refused')
      expect(await scan.next()).toEqual({ value: undefined, done: true })
    })
    expect(store.reached).toEqual([])
  })

  it('begins late and keeps its items and its return value', async () => {
    const store = new Store()
    await store.set('a', '1')
    await withFault(delayCalls({ delayMs: 1, methods: 'scan' }), store, async () => {
      const scan = store.scan()
      expect([await scan.next(), await scan.next()]).toEqual([
        { value: 'a', done: false },
        { value: 1, done: true },
      ])
    })
  })

  it('that is iterable but no iterator can be changed too', async () => {
    const list = { items: () => [1, 2] }
    await withFault(
      corruptResults({ methods: 'items', answers: 'iterator', change: (item: number) => item + 1 }),
      list,
      () => expect([...list.items()]).toEqual([2, 3]),
    )
  })
})
