import type { InjectionContext } from '@chaos/core/authoring'
import { loadedClass, loadedModule } from '../../errors/loaded-module.js'
import { memberReplacer, type ReplaceMember } from '../../operations/member-replacer.js'
import { commandTarget, mismatch, type Command, type CommandSeam, type CommandTarget } from '../../calls/commands.js'

/** A database of level: an instance of any class that extends `AbstractLevel` 2 or later. */
export interface LevelDatabase {
  readonly get: (...args: never) => unknown
  readonly put: (...args: never) => unknown
  readonly batch: (...args: never) => unknown
}

/** The class of level databases: `Level`. */
type LevelClass = abstract new (...args: never) => LevelDatabase

type AsyncMethod = (...args: unknown[]) => Promise<unknown>

/** The methods of an implementation that answer with a promise. The public methods of the same names call them. */
const CALLS = ['get', 'getMany', 'has', 'hasMany', 'put', 'del', 'batch', 'clear'] as const
/** The methods that make iterators. Each read of an iterator is an operation with the name of the method. */
const RANGES = ['iterator', 'keys', 'values'] as const
const READS = ['_next', '_nextv', '_all'] as const

/** Used if the application has not loaded abstract-level. */
class AbortError extends Error {
  readonly code = 'LEVEL_ABORTED'
  constructor() {
    super('Operation has been aborted')
    this.name = 'AbortError'
  }
}

/** Used if the application has not loaded module-error. */
class LookalikeError extends Error {
  readonly code: string
  constructor(message: string, { code }: { readonly code: string }) {
    super(message)
    this.code = code
  }
}

/** Makes level's error for an operation on a closed database or iterator. */
function notOpen(what: 'Database' | 'Iterator'): Error {
  const loaded = loadedModule('module-error/index.js')
  const ModuleError = typeof loaded === 'function' ? (loaded as typeof LookalikeError) : LookalikeError
  return new ModuleError(`${what} is not open`, { code: `LEVEL_${what.toUpperCase()}_NOT_OPEN` })
}

/**
 * Binds a level database, or the class (`Level`) of all databases, as a target of call faults. The name of an operation
 * is the name of the method: `get`, `getMany`, `has`, `hasMany`, `put`, `del`, `clear`, or `batch` (an array, or a
 * chained batch when it is written). A read of an iterator has the name of the method that made the iterator:
 * `iterator`, `keys` or `values`. Operations of sublevels are operations of their database. `getSync` passes.
 *
 * Faults act beneath the encodings: keys and values are those in the store, with the prefixes of sublevels, so a
 * damaged value may not decode. The `signal` of an iterator ends an injected wait at once, with level's `AbortError`.
 *
 * If the database is closed while an operation is held, the operation fails as on a closed database
 * (`LEVEL_DATABASE_NOT_OPEN`), even if the database was opened again since; a late copy of it is lost. `close` waits
 * for held chained batches and held reads of iterators, as it does for running ones. Reads of iterators and of explicit
 * snapshots are never repeated, since an iterator moves on with each read and a snapshot may be closed.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `database` is not a level database or its class.
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
    patch: (context, seam) => patchCommands(holder, context, seam),
  })
}

function patchCommands(holder: object, context: InjectionContext, seam: CommandSeam): void {
  const openings = watchClosing(holder, context)
  const replaceMember = memberReplacer(context)
  for (const name of CALLS) {
    // Older databases lack some of these methods.
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
        return replaceOwnMethod(
          replaceMember,
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
  // A database may make iterators of keys and values from an iterator of entries.
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
            return patchReads(
              below.call.apply(this, args) as object,
              name,
              { client: this, isOpen: openings(this) },
              args,
              seam,
              replaceMember,
            )
          } finally {
            isMaking = false
          }
        },
    )
  }
}

/** Patches the reads of one iterator. Reads run one at a time, and one kind may call another. */
function patchReads(
  iterator: object,
  name: string,
  { client, isOpen }: { readonly client: object; readonly isOpen: () => boolean },
  args: readonly [options?: { readonly signal?: AbortSignal }],
  seam: CommandSeam,
  replaceMember: ReplaceMember,
): object {
  const signal = args[0]?.signal
  let isReading = false
  for (const key of READS) {
    replaceOwnMethod(replaceMember, iterator, key, (read) => async (...given) => {
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
 * Watches whether databases are closed. An operation on a closed database may touch freed memory.
 *
 * @returns A function to call when an operation starts. It returns a check whether the database has stayed open since.
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

/** Ties a held operation to its database: it is sent only while the database is open. */
const heldOn = (isOpen: () => boolean, send: () => Promise<unknown>): Pick<Command, 'on' | 'proceed'> => ({
  on: { isGone: () => !isOpen() },
  proceed: () => (isOpen() ? send() : Promise.reject(notOpen('Database'))),
})

/** Sends an operation at most once, since its snapshot or iterator may be closed when a copy is due. */
function once(send: () => Promise<unknown>): () => Promise<unknown> {
  let isSent = false
  return () => {
    if (isSent) return Promise.reject(notOpen('Iterator'))
    isSent = true
    return send()
  }
}

/** Returns whether an operation reads from an explicit snapshot, which the application may close. */
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

/** Replaces a method of an object that is used once and thrown away. */
function replaceOwnMethod(
  replaceMember: ReplaceMember,
  object: object,
  key: string,
  make: (original: AsyncMethod) => AsyncMethod,
): object {
  replaceMember(object, key, (original) => make((...args) => Reflect.apply(original as AsyncMethod, object, args)))
  return object
}
