import { ChaosError } from '@chaos/core'
import { isThenable } from './answer.js'
import { fittingBinding } from './fitting-binding.js'
import type { PoolBinding, PooledConnection } from './pools.js'

/** The methods by which pools hand out connections. */
const ACQUIRING = ['acquire', 'getConnection', 'connect'] as const

/** A pool that hands out and takes back resources, such as one of generic-pool or of tarn, which knex uses. */
export interface ResourcePool {
  readonly acquire: (...args: never) => unknown
  readonly release: (...args: never) => unknown
  readonly max: number
  /** Resources in use: a getter of generic-pool, a method of tarn. */
  readonly borrowed?: number
  readonly numUsed?: () => number
}

/** Returns whether a value hands out connections, though it may lack what the fault needs. */
export function isPoolLike(value: object): boolean {
  return ACQUIRING.some((name) => name in value && typeof Reflect.get(value, name) === 'function')
}

/**
 * Makes the interface to the resources of a pool, known by its members.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the pool lacks a member, naming it, or if a binding fits it.
 */
export function poolOf(target: object): PoolBinding {
  const advice = fittingBinding(target)
  if (advice !== undefined) throw new ChaosError('CHAOS_TARGET_MISMATCH', advice)
  const missing = missingIn(target)
  if (!isPool(target)) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `The target hands out connections, but the fault needs a pool with more members. Missing: ${missing.join(', ')}.`,
    )
  }
  return bindPool(target)
}

function missingIn(target: object): readonly string[] {
  const isFunction = (name: string): boolean => typeof Reflect.get(target, name) === 'function'
  return [
    !isFunction('acquire') && '`acquire()`, which hands out a resource',
    !isFunction('release') && '`release(resource)`, which takes it back',
    typeof Reflect.get(target, 'max') !== 'number' && '`max`, the limit',
    typeof Reflect.get(target, 'borrowed') !== 'number' &&
      !isFunction('numUsed') &&
      '`borrowed` or `numUsed()`, the number of resources in use',
  ].filter((text) => text !== false)
}

function isPool(target: object): target is ResourcePool {
  return missingIn(target).length === 0
}

function bindPool(pool: ResourcePool): PoolBinding {
  const listeners = new Set<() => void>()
  const resources = new WeakMap<PooledConnection, unknown>()
  const used = (): number => pool.borrowed ?? pool.numUsed?.() ?? 0
  // Resources that are on their way and that the pool does not count as used yet.
  let coming = 0
  return {
    emitter: {
      on: (_event, listener) => listeners.add(listener),
      off: (_event, listener) => listeners.delete(listener),
    },
    max: () => pool.max,
    free: () => pool.max - used() - coming,
    giveBack: (connection) => void Reflect.apply(pool.release, pool, [resources.get(connection)]),
    patch(context, onAttempt) {
      let takeOne: () => unknown = () => undefined
      context.patch(pool, 'acquire', (below) => {
        takeOne = () => below.call.apply(pool, []) as unknown
        return function (this: unknown, ...args: unknown[]): unknown {
          return onAttempt({
            pass: () => below.call.apply(this, args) as unknown,
            handOver: (connection) => handedOver(resources.get(connection), pool),
          })
        }
      })
      for (const name of ['release', 'destroy'] as const) {
        if (typeof Reflect.get(pool, name) !== 'function') continue
        context.patch(
          pool,
          name,
          (below) =>
            function (this: unknown, ...args: unknown[]): unknown {
              const result = below.call.apply(this, args) as unknown
              for (const listener of listeners) listener()
              return result
            },
        )
      }
      return async () => {
        const before = used()
        const answer = takeOne()
        const isCounted = used() > before
        if (!isCounted) coming += 1
        try {
          const resource = await promiseIn(answer)
          // The errors of a resource are the pool's own matter.
          const connection: PooledConnection = { on: () => undefined, off: () => undefined }
          resources.set(connection, resource)
          return connection
        } finally {
          if (!isCounted) coming -= 1
        }
      }
    },
  }
}

/** Answers as the pool does: with a promise, or with an operation that holds one (tarn). */
function handedOver(resource: unknown, pool: ResourcePool): unknown {
  const promise = Promise.resolve(resource)
  return pool.numUsed === undefined ? promise : { promise, abort: () => undefined }
}

/** The promise of an answer: the answer itself, or its `promise`. */
function promiseIn(answer: unknown): unknown {
  return !isThenable(answer) && typeof answer === 'object' && answer !== null && 'promise' in answer
    ? answer.promise
    : answer
}
