import type { Redis } from 'ioredis'
import { createHash } from 'node:crypto'
import { isReply } from './errors.js'

/** A script that Redis runs in one step. */
export interface Script {
  readonly text: string
  readonly sha: string
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/**
 * Runs a script. Redis gets its text only when it does not know it yet.
 *
 * @param key A key that the user may read and write, if there is one. A script names all others itself, since Redis takes a
 *   declared key for one that is written, and would refuse the roles that may only read it.
 */
export async function runScript(
  client: Redis,
  { text, sha }: Script,
  key: string | undefined,
  args: readonly (string | number)[],
): Promise<unknown> {
  const keys = key === undefined ? [] : [key]
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args)
  } catch (error) {
    if (!isReply(error, 'NOSCRIPT')) throw error
    return client.eval(text, keys.length, ...keys, ...args)
  }
}
