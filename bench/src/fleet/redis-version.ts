import { spawnSync } from 'node:child_process'

/** The version of the Redis that fleets are measured on; `undefined` where there is none. */
export function redisVersion(): string | undefined {
  const program = process.env['CHAOS_REDIS_SERVER'] ?? 'redis-server'
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return status === 0 ? /v=(\S+)/.exec(stdout)?.[1] : undefined
}
