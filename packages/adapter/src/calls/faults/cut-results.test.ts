import { injectedBy, withFault } from '@chaos/core'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { describe, expect, it } from 'vitest'
import { Store } from '../../../test/store.js'
import { cutResults } from './cut-results.js'

/** A service that answers with many, in every way, and knows what it still has open. */
class Files {
  readonly #names = ['a', 'b', 'c', 'd']
  open = 0
  read(): Readable {
    return new Names([...this.#names])
  }
  *list(): Generator<string> {
    this.open += 1
    try {
      yield* this.#names
    } finally {
      this.open -= 1
    }
  }
  async *scan(): AsyncGenerator<string> {
    yield* this.list()
    await Promise.resolve()
  }
  fetch(): ReadableStream<string> {
    return Readable.toWeb(this.read()) as ReadableStream<string>
  }
}

class Names extends Readable {
  constructor(readonly names: string[]) {
    super({ objectMode: true })
  }
  override _read(): void {
    this.push(this.names.shift() ?? null)
  }
}

/** What came, and the error behind it. */
async function drained(
  answer: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<readonly [string, Error | undefined]> {
  let came = ''
  try {
    for await (const item of answer) came += String(item)
    return [came, undefined]
  } catch (error) {
    return [came, error as Error]
  }
}

describe('cutResults', () => {
  const kinds = { list: 'iterator', scan: 'async-iterator', read: 'stream', fetch: 'web-stream' } as const

  it.each(Object.entries(kinds) as [keyof typeof kinds, (typeof kinds)[keyof typeof kinds]][])(
    'breaks %s, an answer by %s, behind what still comes, and what is short enough comes whole',
    async (methods, answers) => {
      const files = new Files()
      await withFault(cutResults({ methods, answers, afterItems: 2 }), files, async (injection) => {
        const [came, error] = await drained(files[methods]())
        expect([came, injectedBy(error)]).toEqual(['ab', 'adapter/cut-results'])
        expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'read' })
        expect(injection.affected).toBe(1)
      })
      expect(files.open, 'what the service has open').toBe(0)
      await withFault(cutResults({ methods, answers, afterItems: 4, message: 'late' }), files, async () =>
        expect(await drained(files[methods]())).toEqual(['abcd', undefined]),
      )
      await withFault(cutResults({ methods, answers, afterItems: 0, message: 'soon' }), files, async () =>
        expect(await drained(files[methods]())).toEqual(['', new Error('soon')]),
      )
    },
  )

  it('leaves the class and the private state of an answer as they are', async () => {
    const files = new Files()
    await withFault(cutResults({ methods: 'read', answers: 'stream' }), files, () => {
      expect(files.read()).toBeInstanceOf(Names)
      return Promise.resolve()
    })
  })

  it('leaves nothing behind on an answer that is still open when it ends, and lets the rest of it come', async () => {
    const [store, files] = [new Store(), new Files()]
    await store.set('a', '1')
    await store.set('b', '2')
    const methods = ['keys', 'scan']
    const [keys, scan] = await withFault(cutResults({ methods }), store, () =>
      Promise.resolve([store.keys(), store.scan()]),
    )
    const read = await withFault(cutResults({ methods: 'read', answers: 'stream' }), files, () =>
      Promise.resolve(files.read()),
    )
    expect([Object.hasOwn(keys, 'next'), Object.hasOwn(scan, 'next'), Object.hasOwn(read, 'push')]).toEqual([
      false,
      false,
      false,
    ])
    expect([...keys]).toEqual(['a', 'b'])
    read.destroy()
  })

  it('refuses methods that answer with one value', async () => {
    await expect(withFault(cutResults({ methods: 'get' }), new Store(), () => undefined)).rejects.toThrow(
      'Expected methods that answer with an iteration or a stream, got `get`',
    )
  })
})
