import type { Redis } from 'ioredis'
import { fieldsOf } from '../records.js'
import type { Halt, HaltResult } from '../transport.js'
import { addition } from './audit.js'
import type { Keys } from './keys.js'
import { repliesOf } from './replies.js'
import { haltScript, raiseScript } from './scripts.js'

/** The most characters of a reason that is kept. */
const MAX_REASON = 4_096

export const shortened = (reason: string): string => reason.slice(0, MAX_REASON)

/** Reads a halt. One that was written by hand is any text. */
export function haltOf(text: string): Halt {
  const { reason, by, at } = fieldsOf(text, 2 * MAX_REASON) ?? {}
  return {
    reason: shortened(typeof reason === 'string' ? reason : text),
    by: typeof by === 'string' ? shortened(by) : 'somebody',
    at: typeof at === 'number' ? at : undefined,
  }
}

/**
 * Ends all runs, without any controller. The halt is in force with the first command; what follows tells the agents, the log
 * and the replicas of it.
 *
 * @param waitMs The longest wait for the replicas, in ms.
 */
export async function callHalt(client: Redis, keys: Keys, note: Halt, waitMs: number): Promise<HaltResult> {
  const [halt, , epoch, , role] = repliesOf(
    await client
      .pipeline()
      .eval(haltScript.text, 1, keys.epoch, keys.halt, JSON.stringify(note))
      .publish(keys.wake, '')
      .eval(raiseScript.text, 1, keys.epoch, keys.prefix, 0)
      .xadd(...addition(keys.audit, 'halt', note.by, { reason: note.reason }))
      .role()
      .exec(),
  )
  const connected = (role as readonly unknown[])[2]
  const count = Array.isArray(connected) ? connected.length : 0
  // What is written by one connection is confirmed to the same one.
  const replicas = count === 0 ? 0 : await client.wait(count, Math.max(1, Math.floor(waitMs)))
  const [isNew, kept] = halt as readonly [number, string]
  return {
    epoch: Number(epoch),
    replicas,
    connectedReplicas: count,
    earlier: isNew === 1 ? undefined : haltOf(kept),
  }
}
