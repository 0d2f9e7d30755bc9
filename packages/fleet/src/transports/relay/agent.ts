import type { KnownPlan } from '../known-plan.js'
import type { AgentTransport } from '../transport.js'
import { RelayConnection, type RelayConnectionOptions } from './connection.js'
import { snapshotOf } from './messages.js'

/** Where the relay of a host is. */
export type RelayAgentOptions = RelayConnectionOptions

/**
 * Connects an agent to the relay of its host, on a socket that no fault affects and that does not keep the process alive. If
 * the connection is lost, the next call makes another.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`. The methods reject with `CHAOS_FLEET_UNREACHABLE`, or with what the relay met:
 *   `CHAOS_FLEET_FORBIDDEN`.
 */
export function relayAgentTransport(options: RelayAgentOptions): AgentTransport {
  const connection = new RelayConnection(options, 'agent')
  let plan: KnownPlan | undefined
  return {
    async read(instance) {
      const known = plan
      const { value } = await connection.ask({
        do: 'read',
        instance,
        ...(known !== undefined && { knows: known.runId }),
      })
      const snapshot = snapshotOf(value, known, (why) => connection.failed(new Error(why)))
      if (snapshot.run !== undefined) plan = { runId: snapshot.run.id, signed: snapshot.run.signed }
      return snapshot
    },
    async ack(runId, instanceId, ack) {
      await connection.ask({ do: 'ack', runId, instanceId, ack })
    },
    onWake: (listener) => connection.onWake(listener),
    close: () => connection.close(),
  }
}
