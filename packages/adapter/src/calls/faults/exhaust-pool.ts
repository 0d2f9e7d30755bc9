import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { isPoolLike, poolOf, type ResourcePool } from '../any-pool.js'
import { bindingOf, isCommandTarget, type CommandTarget } from '../commands.js'
import { held } from '../held-connections.js'

const NAME = 'adapter/exhaust-pool'
const options = { leave: option.optional(option.count('Connections left to the application.'), 0) }

/** Options of {@link exhaustPool}. */
export type ExhaustPoolOptions = OptionsOf<typeof exhaustPool>

/**
 * Takes the connections of a pool, so that the application has to wait for one.
 *
 * Models leaked connections, or a statement that runs for minutes on each connection. The pool then queues, times out
 * and fails as usual. The fault really checks the connections out: free ones at once, and those that the application
 * uses as they come back. All go back when the fault ends.
 *
 * An operation is a request of the application for a connection while none is free; its name is `connect`. A request
 * that is not chosen gets one of the held connections. The injection counts connections taken so far as `held` and
 * those given back as `returned`.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the pool lacks a member that the fault needs, if it has no limit, or if
 *   `leave` is not below the limit.
 */
export const exhaustPool = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Takes the connections of a pool, so that the application has to wait for one.',
  options,
  target: {
    expects:
      'a bound pool (`bindPg(pool)` or `bindMysql2(pool)`), or a pool with `acquire`, `release`, `max` and a count of what is in use (generic-pool, tarn)',
    accepts: (value) =>
      typeof value === 'object' &&
      value !== null &&
      (isCommandTarget(value) ? bindingOf(value).pool !== undefined : isPoolLike(value)),
  },
  async inject(target: CommandTarget | ResourcePool, { leave }, context) {
    const pool = isCommandTarget(target) ? bindingOf(target).pool : poolOf(target)
    if (pool === undefined) return
    if (!Number.isFinite(pool.max()) || pool.max() <= leave) {
      throw new ChaosError(
        'CHAOS_TARGET_MISMATCH',
        `${NAME} needs a pool whose limit is above \`leave\` (${leave}), but ${Number.isFinite(pool.max()) ? `the limit is ${pool.max()}. Lower \`leave\`.` : 'the pool has no limit. Set one.'}`,
      )
    }
    const operation = context.operation('connect')
    const counts = context.account('held', 'returned')
    const connections = held(pool, counts)
    const take = pool.patch(context, ({ pass, handOver }) => {
      connections.fill()
      if (pool.free() > 0 || operation.shouldInject([])) return pass()
      const connection = connections.next()
      return connection === undefined ? pass() : handOver(connection)
    })
    context.defer(() => connections.giveAllBack())
    await connections.takeFrom(take, () => pool.max() - leave)
  },
})
