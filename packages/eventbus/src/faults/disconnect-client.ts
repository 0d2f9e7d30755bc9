import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'
import { DISCONNECT_CLIENT } from '../seams/failing-socket.js'
import { busOf, busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { Connection } from '../seams/bus.js'

const options = {
  how: option.optional(
    option.oneOf(
      ['down', 'flapping'],
      'down: cuts the connection and refuses every reconnection until the fault ends; flapping: cuts it every `intervalMs` and lets the client reconnect.',
    ),
    'down',
  ),
  intervalMs: option.optional(option.durationMs('Time between two cuts with `how: "flapping"`, in ms. Default 1,000.')),
}

/** Options of {@link disconnectClient}. */
export type DisconnectClientOptions = OptionsOf<typeof disconnectClient>

const DEFAULT_INTERVAL_MS = 1_000

/**
 * Cuts the connection between a client and its broker.
 *
 * Models a broker that restarts, a network outage, or a load balancer that closes idle connections. The socket of the
 * client closes or fails, and the client reacts as it does in production. When the fault ends, the client reconnects and
 * restores its subscriptions by its own rules. Client and broker decide whether messages that are published meanwhile are
 * lost or kept. A client that stops reconnecting during the fault stays disconnected. An operation is a cut of an open
 * connection, or an attempt to connect; its name is that of the connection: `publisher`, `subscriber` or `connection`.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the bus has no connection that can be cut, for example a bus in this
 *   process; `CHAOS_INVALID_OPTION` when `intervalMs` is less than 1, or given without `how: 'flapping'`.
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
        `\`intervalMs\` needs \`how: 'flapping'\`, and \`how\` is \`'${how}'\`. Leave \`intervalMs\` out.`,
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
        `The fault needs a connection that can be cut, and ${kind} has none. Bind the client of a broker, or choose a fault that affects messages.`,
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
