import { hasPrograms } from '@chaos/test-servers'
import { describe, it } from 'vitest'
import { redisChaos } from './redis-chaos.js'

const isQuick = process.env['CHAOS_SOAK'] === 'quick'

describe.runIf(hasPrograms('redis-server'))(
  'redisChaos, with a Redis of its own (skipped without redis-server on PATH: Debian package redis-server)',
  () => {
    it('frozen, then 500 ms late with 2 % loss: the API goes on from memory, the alerts fire and resolve, nothing acknowledged is lost, it heals', () =>
      redisChaos(isQuick ? { freezeMs: 3_000, lateMs: 8_000 } : undefined))
  },
)
