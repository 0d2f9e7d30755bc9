import type { InjectionContext } from '@chaos/core/authoring'
import { loadedClass, loadedModule } from '../../errors/loaded-module.js'
import { covering, type LayOver } from '../../operations/covering.js'
import { commandTarget, mismatch, type Command, type CommandSeam, type CommandTarget } from '../../calls/commands.js'

/** A database of level: anything that extends `AbstractLevel`, of version 2 and up. */
export interface LevelDatabase {
  readonly get: (...args: never) => unknown
  readonly put: (...args: never) => unknown
  readonly batch: (...args: never) => unknown
}

/** The class of such databases: `Level`. */
type LevelClass = abstract new (...args: never) => LevelDatabase

type AsyncMethod = (...args: unknown[]) => Promise<unknown>

/** What implements a database answers these, each with a promise; the public methods of the same names call them. */
const CALLS = ['get', 'getMany', 'has', 'hasMany', 'put', 'del', 'batch', 'clear'] as const
/** What makes iterators; each reading from one is an operation of that name. */
const RANGES = ['iterator', 'keys', 'values'] as const
const READS = ['_next', '_nextv', '_all'] as const

/** Stands in where the application has no abstract-level of its own loaded. */
class AbortError extends Error {
  readonly code = 'LEVEL_ABORTED'
  constructor() {
    super('Operation has been aborted')
    this.name = 'AbortError'
  }
}

/** Stands in where the application has no module-error of its own loaded. */
class LookalikeError extends Error {
  readonly code: string
  constructor(message: string, { code }: { readonly code: string }) {
    super(message)
    this.code = code
  }
}

/** What level says of an operation on something that is closed. */
function notOpen(what: 'Database' | 'Iterator'): Error {
  const loaded = loadedModule('module-error/index.js')
  const ModuleError = typeof loaded === 'function' ? (loaded as typeof LookalikeError) : LookalikeError
  return new ModuleError(`${what} is not open`, { code: `LEVEL_${what.toUpperCase()}_NOT_OPEN` })
}

/**
 * The operations of a database of level, or with a class (`Level`) of all its databases: what faults of calls break. An operation has the name of the method: `get`,
 * `getMany`, `has`, `hasMany`, `put`, `del`, `batch` (an array or a chain, when it is written), `clear`; a reading from an iterator that of what made
 * it: `iterator`, `keys`, `values`. Operations of sublevels are operations of their database. `getSync` passes.
 *
 * Faults lie beneath the encodings: keys and values are what the store holds, with the prefixes of sublevels, so that a damaged value may not be decodable. The
 * `signal` of an iterator ends an injected wait at once, with the `AbortError` of level. A held operation whose database is closed meanwhile fails as one on a closed database does
 * (`LEVEL_DATABASE_NOT_OPEN`), also when it was opened again since, and a late copy of it is lost; `close` waits for held chained batches and for held readings of iterators, as it does for those that run. An iterator moves on
 * with each reading, and an explicit snapshot may be closed, so that neither is read again.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when `database` is no such database or class
 */
export function bindLevel(database: LevelDatabase | LevelClass): CommandTarget {
  const holder: unknown = typeof database === 'function' ? database.prototype : database
  if (
    typeof holder !== 'object' ||
    holder === null ||
    typeof Reflect.get(holder, '_put') !== 'function' ||
    typeof Reflect.get(holder, '_iterator') !== 'function'
  ) {
    throw mismatch('a database of level (abstract-level 2 and up), or its class', database)
  }
  return commandTarget((holder.constructor as { readonly name: string }).name, {
    names: [...CALLS, ...RANGES],
    lay: (context, seam) => layOver(holder, context, seam),
  })
}

function layOver(holder: object, context: InjectionContext, seam: CommandSeam): void {
  const openings = watchClosing(holder, context)
  const layOver = covering(context)
  for (const name of CALLS) {
    // Older databases have not all of them.
    if (typeof Reflect.get(holder, `_${name}`) !== 'function') continue
    context.patch(
      holder,
      `_${name}`,
      (below) =>
        function (this: object, ...args: unknown[]): unknown {
          const send = (): Promise<unknown> => below.call.apply(this, args) as Promise<unknown>
          return seam.chooses(name, args)
            ? seam.answer({
                name,
                args,
                client: this,
                ...heldOn(openings(this), hasSnapshot(args) ? once(send) : send),
              })
            : send()
        },
    )
  }
  context.patch(
    holder,
    '_chainedBatch',
    (below) =>
      function (this: object): unknown {
        const batch = below.call.call(this) as object
        return coverOwn(
          layOver,
          batch,
          '_write',
          (write) =>
            (...args) =>
              seam.chooses('batch', args)
                ? seam.answer({ name: 'batch', args, client: this, ...heldOn(openings(this), () => write(...args)) })
                : write(...args),
        )
      },
  )
  // Iterators of keys and values may be made of one of entries.
  let isMaking = false
  for (const name of RANGES) {
    context.patch(
      holder,
      `_${name}`,
      (below) =>
        function (this: object, ...args: readonly [options?: { readonly signal?: AbortSignal }]): unknown {
          if (isMaking) return below.call.apply(this, args)
          isMaking = true
          try {
            return coverReads(
              below.call.apply(this, args) as object,
              name,
              { client: this, isOpen: openings(this) },
              args,
              seam,
              layOver,
            )
          } finally {
            isMaking = false
          }
        },
    )
  }
}

/** Covers the readings from one iterator. They are one at a time, and one kind may be made of another. */
function coverReads(
  iterator: object,
  name: string,
  { client, isOpen }: { readonly client: object; readonly isOpen: () => boolean },
  args: readonly [options?: { readonly signal?: AbortSignal }],
  seam: CommandSeam,
  layOver: LayOver,
): object {
  const signal = args[0]?.signal
  let isReading = false
  for (const key of READS) {
    coverOwn(layOver, iterator, key, (read) => async (...given) => {
      if (isReading || !seam.chooses(name, args)) return read(...given)
      const send = (): Promise<unknown> => {
        isReading = true
        return read(...given).finally(() => (isReading = false))
      }
      try {
        return await seam.answer({ name, args, client, signal, ...heldOn(isOpen, once(send)) })
      } catch (error) {
        throw signal?.aborted === true && error === signal.reason
          ? new (loadedClass('abstract-level/lib/errors.js', 'AbortError', AbortError))()
          : error
      }
    })
  }
  return iterator
}

/**
 * Watches databases being closed. What implements a database relies on being open: it may touch memory that is freed.
 *
 * @returns Tells of a database as it is opened now whether it is still: one that was closed and opened again is another.
 */
function watchClosing(holder: object, context: InjectionContext): (database: object) => () => boolean {
  const closings = new WeakMap<object, number>()
  context.patch(
    holder,
    '_close',
    (below) =>
      function (this: object, ...args: unknown[]): unknown {
        closings.set(this, (closings.get(this) ?? 0) + 1)
        return below.call.apply(this, args) as unknown
      },
  )
  return (database) => {
    const before = closings.get(database)
    return () => Reflect.get(database, 'status') === 'open' && closings.get(database) === before
  }
}

/** Holds an operation on its database: it is sent only while that is open. */
const heldOn = (isOpen: () => boolean, send: () => Promise<unknown>): Pick<Command, 'on' | 'proceed'> => ({
  on: { isGone: () => !isOpen() },
  proceed: () => (isOpen() ? send() : Promise.reject(notOpen('Database'))),
})

/** Sends an operation once: what it reads from may be closed when a copy comes. */
function once(send: () => Promise<unknown>): () => Promise<unknown> {
  let isSent = false
  return () => {
    if (isSent) return Promise.reject(notOpen('Iterator'))
    isSent = true
    return send()
  }
}

/** Whether an operation reads from a snapshot that the application made, and may close. */
function hasSnapshot(args: readonly unknown[]): boolean {
  const options = args.at(-1)
  return (
    typeof options === 'object' &&
    options !== null &&
    'snapshot' in options &&
    options.snapshot !== undefined &&
    options.snapshot !== null
  )
}

/** Lays a function over a method of an object that is used once and thrown away. */
function coverOwn(
  layOver: LayOver,
  object: object,
  key: string,
  cover: (original: AsyncMethod) => AsyncMethod,
): object {
  layOver(object, key, (original) => cover((...args) => Reflect.apply(original as AsyncMethod, object, args)))
  return object
}
