import type { KnownPlan } from '../known-plan.js'
import { ackText, instanceText } from '../records.js'
import type { AgentTransport } from '../transport.js'
import { Connection } from './connection.js'
import { keysOf } from './keys.js'
import { checkRedisOptions, type RedisTransportOptions } from './options.js'
import { runScript } from './script.js'
import { ackScript, readScript } from './scripts.js'
import { snapshotOf } from './snapshot.js'
import { WakeChannel } from './wake-channel.js'

/** How long the answers about a run are kept, in ms. */
const ACKS_MS = 3_600_000
/** How many instances a transport remembers. A relay has many, which come and go. */
const MAX_KNOWN = 1_000

/**
 * Connects an agent to Redis, on a connection of its own that no fault affects and that does not keep the process alive
 * between calls. Connecting is part of a call. Each call takes at most `timeoutMs`; if there is no connection, the next call makes one.
 *
 * The user of Redis needs the rules of the role `agent` of {@link aclFile}. Needs the package ioredis, 5.3 or later, and Redis
 * 5 or later, or Valkey.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`. The methods reject with `CHAOS_FLEET_UNREACHABLE` or `CHAOS_FLEET_FORBIDDEN`.
 */
export function redisAgentTransport(options: RedisTransportOptions): AgentTransport {
  const checked = checkRedisOptions(options)
  const keys = keysOf(checked.fleet)
  const connection = new Connection(checked, false)
  const wake = new WakeChannel(checked, keys.wake, connection)
  const known = new Map<string, KnownPlan | undefined>()
  const remember = (id: string, plan: KnownPlan | undefined): void => {
    known.delete(id)
    known.set(id, plan)
    const [oldest] = known.keys()
    if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest)
  }
  return {
    async read(instance) {
      const { id } = instance
      const plan = known.get(id)
      remember(id, plan)
      wake.keep()
      const answer = await connection.use((client) =>
        runScript(client, readScript, keys.instance(id), [
          keys.prefix,
          id,
          instanceText(instance),
          checked.instanceTtlMs,
          plan?.runId ?? '',
        ]),
      )
      const snapshot = snapshotOf(answer, plan)
      if (snapshot.run !== undefined) remember(id, { runId: snapshot.run.id, signed: snapshot.run.signed })
      return snapshot
    },
    async ack(runId, instanceId, ack) {
      await connection.use((client) =>
        runScript(client, ackScript, keys.instance(instanceId), [keys.acks(runId), instanceId, ackText(ack), ACKS_MS]),
      )
    },
    onWake: (listener) => wake.on(listener),
    async close() {
      wake.close()
      const ids = [...known.keys()]
      // Else the records expire.
      if (ids.length > 0 && connection.isOpen)
        await connection
          .use(
            (client) =>
              client
                .multi()
                .del(...ids.map(keys.instance))
                .zrem(keys.index, ...ids)
                .exec(),
            // The process may have nothing else to wait for.
            true,
          )
          .catch(() => undefined)
      connection.close()
    },
  }
}
