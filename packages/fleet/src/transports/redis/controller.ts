import { ChaosError } from '@chaos/core'
import { systemClock } from '@chaos/core/authoring'
import type { Redis } from 'ioredis'
import type { InstanceRecord } from '../../plan/instance.js'
import { ackOf, instanceOf, isRunView, MAX_RECORD } from '../records.js'
import type { Ack, ControllerTransport, OpenResult, Renewal, RunView } from '../transport.js'
import { addition, detailsText, entryOf } from './audit.js'
import { Connection } from './connection.js'
import { callHalt, haltOf, shortened } from './halt.js'
import { isReply } from './errors.js'
import { keysOf } from './keys.js'
import { checkRedisOptions, type RedisTransportOptions } from './options.js'
import { openingDetails, placesOf } from './opening.js'
import { repliesOf } from './replies.js'
import { runScript } from './script.js'
import { INDEX_MS, openScript, raiseScript, renewScript } from './scripts.js'
import { WakeChannel } from './wake-channel.js'

/** The most instances that a list holds. */
const MAX_INSTANCES = 100_000
/** The most runs that a list holds. */
const MAX_RUNS = 1_000
/** What a list of runs reads of each. */
const RUN_FIELDS = ['phase', 'epoch', 'beat', 'plan', 'keyId', 'signature'] as const
/** How many records one command asks for. Between two chunks the process does other work. */
const CHUNK = 100
/** The most characters of all records of a list. */
const MAX_RECORDS = 134_217_728
/**
 * How much longer than its fault an instance may count as taken, in ms: the time until the fault is in force is not part of
 * `maxDurationMs`. A place whose run is gone is free in any case.
 */
const PREPARING_MS = 60_000

/**
 * Connects a controller, a halter or an operator to Redis, on a connection of its own that no fault affects. Connecting is
 * part of a call. Each call takes at most `timeoutMs`.
 *
 * Redis must not evict keys that have no end (`maxmemory-policy`: `noeviction`, or one of `volatile-*`): a halt is such a key.
 * The user of Redis needs the rules of its role, which {@link aclFile} writes. Needs the package ioredis, 5.3 or later, and
 * Redis 5 or later, or Valkey.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`. The methods reject with `CHAOS_FLEET_UNREACHABLE` or `CHAOS_FLEET_FORBIDDEN`.
 */
export function redisControllerTransport(options: RedisTransportOptions): ControllerTransport {
  const checked = checkRedisOptions(options)
  const keys = keysOf(checked.fleet)
  const connection = new Connection(checked, true)
  const wake = new WakeChannel(checked, keys.wake, connection)
  const use = <T>(work: (client: Redis) => Promise<T>): Promise<T> => {
    wake.keep()
    return connection.use(work)
  }
  return {
    list: () =>
      use(async (client) => {
        const [seconds] = await client.time()
        const since = Number(seconds) * 1_000 - INDEX_MS
        const ids = await client.zrangebyscore(keys.index, since, '+inf', 'LIMIT', 0, MAX_INSTANCES)
        const found: InstanceRecord[] = []
        let size = 0
        for (let at = 0; at < ids.length; at += CHUNK) {
          const chunk = ids.slice(at, at + CHUNK)
          const steps = client.pipeline()
          // One that is too long is not even sent as a whole.
          for (const id of chunk) steps.getrange(keys.instance(id), 0, MAX_RECORD)
          for (const [index, [error, text]] of ((await steps.exec()) ?? []).entries()) {
            if (error !== null && !isReply(error, 'WRONGTYPE')) throw error
            // One that is no text is as good as none.
            if (typeof text !== 'string') continue
            size += text.length
            if (size > MAX_RECORDS)
              throw new ChaosError(
                'CHAOS_FLEET_UNREACHABLE',
                `The records of the fleet ${checked.fleet} are longer than ${MAX_RECORDS} characters together, which no fleet is. Somebody with the credential of an agent writes what they should not.`,
              )
            const record = instanceOf(text)
            if (record !== undefined && record.id === chunk[index]) found.push(record)
          }
        }
        return found
      }),
    async open(signed, plan, owner) {
      const answer = await use((client) =>
        runScript(client, openScript, keys.run(plan.runId), [
          keys.prefix,
          plan.runId,
          signed.text,
          signed.keyId,
          signed.signature,
          owner,
          plan.leaseMs,
          plan.maxDurationMs + PREPARING_MS,
          plan.by,
          detailsText(openingDetails(signed, plan)),
          ...placesOf(plan),
        ]),
      )
      return openResultOf(answer as readonly [string, ...string[]])
    },
    async renew({ runId, owner }, leaseMs, phase) {
      const answer = await use((client) =>
        runScript(client, renewScript, keys.run(runId), [keys.prefix, runId, owner, leaseMs, phase]),
      )
      return answer as Renewal
    },
    async close({ runId, owner }, plan) {
      await use(async (client) => {
        const run = keys.run(runId)
        if ((await client.hget(run, 'owner')) !== owner) return
        // The places of the run are free without it. They are left to expire: by now they could be those of another run.
        const entry = addition(keys.audit, 'close', plan.by, { runId })
        repliesOf(
          await client
            .multi()
            .del(run)
            .zrem(keys.running, runId)
            .xadd(...entry)
            .publish(keys.wake, '')
            .exec(),
        )
      })
    },
    acks: (runId) =>
      use(async (client) => {
        const acks = new Map<string, Ack>()
        for (const [id, text] of Object.entries(await client.hgetall(keys.acks(runId)))) {
          const ack = ackOf(text)
          if (ack !== undefined) acks.set(id, ack)
        }
        return acks
      }),
    runs: () =>
      use(async (client) => {
        const ids = await client.zrevrange(keys.running, 0, MAX_RUNS - 1)
        const found: RunView[] = []
        for (let at = 0; at < ids.length; at += CHUNK) {
          const chunk = ids.slice(at, at + CHUNK)
          const steps = client.pipeline()
          for (const id of chunk) steps.hmget(keys.run(id), ...RUN_FIELDS).pttl(keys.run(id))
          const replies = repliesOf(await steps.exec())
          for (const [index, id] of chunk.entries()) {
            const run = runOf(id, replies[2 * index] as readonly unknown[], replies[2 * index + 1])
            if (isRunView(run)) found.push(run)
          }
        }
        return found
      }),
    halt: (reason, by) =>
      use((client) =>
        callHalt(client, keys, { reason: shortened(reason), by, at: systemClock.now() }, checked.timeoutMs / 2),
      ),
    permit: (forMs, by, reason) =>
      use(async (client) => {
        const note = { reason: shortened(reason), by }
        const entry = addition(keys.audit, forMs > 0 ? 'permit' : 'forbid', by, {
          reason: note.reason,
          forMs: String(forMs),
        })
        const steps = client.multi()
        if (forMs > 0)
          steps
            .eval(raiseScript.text, 1, keys.epoch, keys.prefix, 1)
            .set(keys.permit, JSON.stringify(note), 'PX', Math.ceil(forMs))
            .del(keys.halt)
        else steps.get(keys.epoch).del(keys.permit)
        const [epoch] = repliesOf(
          await steps
            .xadd(...entry)
            .publish(keys.wake, '')
            .exec(),
        )
        return { epoch: Number(epoch) }
      }),
    status: () =>
      use(async (client) => {
        const [rest, halt, epoch] = repliesOf(
          await client.multi().pttl(keys.permit).get(keys.halt).get(keys.epoch).exec(),
        ) as readonly [number, string | null, string | null]
        return {
          isPermitted: rest !== -2 && halt === null,
          // A permit that was written by hand may have no end.
          openForMs: rest === -1 ? Number.POSITIVE_INFINITY : Math.max(0, rest),
          halt: halt === null ? undefined : haltOf(halt).reason,
          epoch: Number(epoch),
        }
      }),
    audit: (count, before) =>
      use(async (client) => {
        // Redis answers a question for none with `null`.
        if (count < 1) return []
        // Redis before 6.2 has no range without its end, so one entry more is asked for.
        const asked = Math.floor(count) + (before === undefined ? 0 : 1)
        const found = await client.xrevrange(keys.audit, before ?? '+', '-', 'COUNT', asked)
        return found
          .filter(([id]) => id !== before)
          .slice(0, count)
          .map(entryOf)
          .reverse()
      }),
    async note(what, by, details) {
      await use((client) => client.xadd(...addition(keys.audit, what, by, details)))
    },
    onWake: (listener) => wake.on(listener),
    disconnect() {
      wake.close()
      connection.close()
      return Promise.resolve()
    },
  }
}

/** What a run looks like to those who list it. It may be gone, or make no sense. */
function runOf(id: string, [phase, epoch, beat, text, keyId, signature]: readonly unknown[], remainingMs: unknown) {
  return {
    id,
    phase,
    epoch: Number(epoch),
    beat: Number(beat),
    remainingMs: Number(remainingMs),
    signed: { text, keyId, signature },
  }
}

function openResultOf([outcome, ...rest]: readonly [string, ...string[]]): OpenResult {
  if (outcome === 'open') return { isOpen: true, epoch: Number(rest[0]) }
  if (outcome === 'busy') return { isOpen: false, why: 'busy', busy: rest }
  return { isOpen: false, why: outcome === 'halted' ? 'halted' : 'not-permitted' }
}
