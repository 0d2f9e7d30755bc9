import {
  corruptResults,
  cutResults,
  delayCalls,
  failAfterCall,
  hangCalls,
  limitRate,
  refuseCalls,
  timeOutCalls,
} from '@chaos/adapter'
import { Readable } from 'node:stream'
import { ReadableStream, type ReadableStreamDefaultReader } from 'node:stream/web'
import type { Breakage, Draw, Subject } from './schedule.js'

const PARTS = ['first', 'second', 'third', 'fourth']

/** A store whose methods answer with many parts, in every way that Node.js knows. */
class Store {
  bytes(): Readable {
    const left = PARTS.map((part) => Buffer.from(part))
    return new Readable({
      read() {
        setImmediate(() => this.push(left.shift() ?? null))
      },
    })
  }
  objects(): Readable {
    return Readable.from(PARTS.map((part) => ({ part })))
  }
  web(): ReadableStream {
    const left = [...PARTS]
    return new ReadableStream({
      pull(controller) {
        const part = left.shift()
        if (part === undefined) controller.close()
        else controller.enqueue(part)
      },
    })
  }
  *list(): Generator<string> {
    yield* PARTS
  }
  async *scan(): AsyncGenerator<string> {
    for (const part of PARTS) yield await Promise.resolve(part)
  }
  cursor(): AsyncIterableIterator<string> {
    const left = [...PARTS]
    return {
      next: () =>
        Promise.resolve(
          left.length > 0 ? { done: false, value: left.shift() ?? '' } : { done: true, value: undefined },
        ),
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }
  async get(): Promise<{ readonly part: string }> {
    return Promise.resolve({ part: 'first' })
  }
}

const WAYS = [
  { methods: 'bytes', answers: 'stream' },
  { methods: 'objects', answers: 'stream' },
  { methods: 'web', answers: 'web-stream' },
  { methods: 'list', answers: 'iterator' },
  { methods: 'scan', answers: 'async-iterator' },
  { methods: 'cursor', answers: 'async-iterator' },
  { methods: 'get', answers: 'promise' },
] as const

type Way = (typeof WAYS)[number]

const pick = <T>(draw: Draw, values: readonly T[]): T => values[draw(values.length)] as T
const ignore = (): void => undefined

/** Those of the ways that a fault supports. */
const waysTo = (...answers: readonly Way['answers'][]): readonly Way[] =>
  WAYS.filter((way) => answers.includes(way.answers))
const LATE = waysTo('stream', 'web-stream', 'async-iterator', 'promise')
const MANY = waysTo('stream', 'web-stream', 'async-iterator', 'iterator')

/** An application that reads streams, cursors and iterations of a store, some to their end. */
export async function streamSubject(): Promise<Subject> {
  const store = new Store()
  const met = new Map<string, object>()
  const readables: Readable[] = []
  const readers: ReadableStreamDefaultReader[] = []
  const iterators: (Iterator<unknown> | AsyncIterator<unknown>)[] = []
  const note = (object: object): void => void met.set(`answer ${met.size}`, object)
  const make: readonly Breakage['make'][] = [
    (draw) => delayCalls({ ...pick(draw, LATE), delayMs: pick(draw, [1, 2_000]) }),
    (draw) => hangCalls(pick(draw, LATE)),
    (draw) => cutResults({ ...pick(draw, MANY), afterItems: draw(3) }),
    (draw) => corruptResults({ ...pick(draw, WAYS), damage: pick(draw, ['garble', 'truncate', 'empty']) }),
    (draw) => refuseCalls(pick(draw, WAYS)),
    (draw) => failAfterCall(pick(draw, WAYS)),
    (draw) => limitRate({ ...pick(draw, WAYS), calls: 1, perMs: 100 }),
    (draw) => timeOutCalls({ ...pick(draw, waysTo('promise')), timeoutMs: 20 }),
  ]
  const guarded =
    (move: (draw: Draw) => unknown) =>
    async (draw: Draw): Promise<void> => {
      try {
        await move(draw)
      } catch {
        // The fault failed it.
      }
    }
  const step = (iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined): void =>
    void Promise.resolve(iterator?.next()).catch(ignore)
  return Promise.resolve({
    breakages: make.map((one) => ({ target: store, make: one })),
    moves: (
      [
        (draw) => {
          const stream = pick(draw, [() => store.bytes(), () => store.objects()])()
          note(stream)
          readables.push(stream.on('error', ignore))
        },
        (draw) => readables[draw(readables.length + 1)]?.resume(),
        (draw) => void readables[draw(readables.length + 1)]?.read(3),
        (draw) => readables[draw(readables.length + 1)]?.destroy(),
        (draw) => {
          const stream = readables[draw(readables.length + 1)]
          if (stream !== undefined) Reflect.set(stream, 'appKey', 1.5)
        },
        () => {
          const stream = store.web()
          note(stream)
          const reader = stream.getReader()
          reader.closed.catch(ignore)
          readers.push(reader)
        },
        (draw) => void readers[draw(readers.length + 1)]?.read().catch(ignore),
        (draw) => void readers[draw(readers.length + 1)]?.cancel().catch(ignore),
        (draw) => {
          const iterator = pick(draw, [() => store.list(), () => store.scan(), () => store.cursor()] as const)()
          note(iterator)
          iterators.push(iterator)
        },
        (draw) => step(iterators[draw(iterators.length + 1)]),
        (draw) => void iterators[draw(iterators.length + 1)]?.return?.(undefined),
        () => void Promise.resolve(store.get()).catch(ignore),
        () => new Promise((resolve) => setTimeout(resolve, 1)),
      ] as readonly ((draw: Draw) => unknown)[]
    ).map(guarded),
    met: () => ({ ...Object.fromEntries(met), store, 'Store.prototype': Store.prototype }),
    async close() {
      for (const readable of readables) readable.destroy()
      for (const reader of readers) reader.cancel().catch(ignore)
      for (const iterator of iterators)
        await Promise.resolve()
          .then(() => iterator.return?.())
          .catch(ignore)
    },
  })
}
