import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { bindingOf, isCommandTarget, type CommandTarget } from '../commands.js'
import type { PoolBinding } from '../pools.js'
import { held } from '../held-connections.js'

const NAME = 'adapter/exhaust-pool'
const options = { leave: option.optional(option.count('Connections that are left to the application. Default: 0.'), 0) }

/** Options of {@link exhaustPool}. */
export type ExhaustPoolOptions = OptionsOf<typeof exhaustPool>

/**
 * Takes the connections of a pool, so that the application has to wait for one.
 *
 * Models connections that leak, or a statement that runs for minutes on each of them: the pool is full, and what then happens is the pool's own doing, its queue,
 * its timeout, its error. The connections are really taken: those that the application uses as they come back. They go back when the fault ends. An
 * operation is the application's asking for a connection while none is free; its name is `connect`. One that is not chosen gets
 * one of those that are held. Connections taken so far are counted as `held`, those that went back as `returned`.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the pool has no limit, or `leave` leaves nothing to take
 */
export const exhaustPool = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Takes the connections of a pool, so that the application has to wait for one.',
  options,
  target: {
    expects: 'a bound pool: `bindPg(pool)` or `bindMysql2(pool)`',
    accepts: (value) =>
      typeof value === 'object' && value !== null && isCommandTarget(value) && bindingOf(value).pool !== undefined,
  },
  async inject(target: CommandTarget, { leave }, context) {
    const pool = bindingOf(target).pool as PoolBinding
    if (!Number.isFinite(pool.max()) || pool.max() <= leave) {
      throw new ChaosError(
        'CHAOS_TARGET_MISMATCH',
        `Expected a pool with a limit of more connections than \`leave\` (${leave}), got one with ${Number.isFinite(pool.max()) ? `a limit of ${pool.max()}` : 'none'}.`,
      )
    }
    const operation = context.operation('connect')
    const counts = context.account('held', 'returned')
    const connections = held(pool, counts)
    const take = pool.lay(context, ({ pass, handOver }) => {
      connections.fill()
      if (pool.free() > 0 || operation.shouldInject([])) return pass()
      const connection = connections.next()
      return connection === undefined ? pass() : handOver(connection)
    })
    context.defer(() => connections.giveAllBack())
    await connections.takeFrom(take, () => pool.max() - leave)
  },
})
