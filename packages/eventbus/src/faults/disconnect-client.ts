import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'
import { DISCONNECT_CLIENT } from '../seams/failing-socket.js'
import { busOf, busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { Connection } from '../seams/bus.js'

const options = {
  how: option.optional(
    option.oneOf(
      ['down', 'flapping'],
      'down: cut, and refused whenever it comes back, until the fault ends; flapping: cut every `intervalMs`, and free to come back.',
    ),
    'down',
  ),
  intervalMs: option.optional(
    option.durationMs('Time between two cuts of a connection that flaps, in ms. Default 1,000.'),
  ),
}

/** Options of {@link disconnectClient}. */
export type DisconnectClientOptions = OptionsOf<typeof disconnectClient>

const DEFAULT_INTERVAL_MS = 1_000

/**
 * Cuts the connection between a client and its broker.
 *
 * Models a broker that restarts, a network that goes away, a load balancer that closes what is idle. The client hears it from its own
 * socket and does what it does then; when the fault ends, it comes back by its own reconnection, with the subscriptions that it restores. What is
 * published meanwhile is lost or kept as the client and the broker do it. A client that gives up while it is down stays down. An operation is a cut of a
 * connection that stands, or an attempt to connect; its name is the connection's: `publisher`, `subscriber`, `connection`.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` for a bus without a connection that could be cut, such as one within the process;
 *   `CHAOS_INVALID_OPTION` for `intervalMs` of a connection that does not flap.
 */
export const disconnectClient = defineFault({
  name: DISCONNECT_CLIENT,
  kind: 'standing',
  summary: 'Cuts the connection between a client and its broker.',
  options,
  target: busTarget,
  check({ how, intervalMs }) {
    if (intervalMs !== undefined && how !== 'flapping')
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`intervalMs\` with \`how: 'flapping'\`, got \`how: '${how}'\`. Leave \`intervalMs\` out.`,
      )
    if (intervalMs !== undefined && intervalMs < 1)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`intervalMs\` of eventbus/disconnect-client to be at least 1, got \`${intervalMs}\`.`,
      )
  },
  inject(target: BusTarget, { how, intervalMs = DEFAULT_INTERVAL_MS }, context) {
    const { kind, connections = [] } = busOf(target)
    if (connections.length === 0)
      throw new ChaosError(
        'CHAOS_TARGET_MISMATCH',
        `Expected a bus with a connection that can be cut, got ${kind}, which has none. Bind the client of a broker, or choose a fault of messages.`,
      )
    const covered = connections.filter(({ name }) => context.operation(name).covers())
    const isAffected = ({ name }: Connection): boolean => context.operation(name).shouldInject([])
    const cut = (): void => {
      for (const connection of covered) for (const cutOne of connection.standing()) if (isAffected(connection)) cutOne()
    }
    if (how === 'down') for (const connection of covered) connection.attempts?.(() => isAffected(connection), context)
    cut()
    if (how === 'flapping') repeat(context, intervalMs, cut)
  },
})
