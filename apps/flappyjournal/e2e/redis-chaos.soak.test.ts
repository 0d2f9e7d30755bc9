import { hasPrograms } from '@chaos/test-servers'
import { describe, it } from 'vitest'
import { redisChaos } from './redis-chaos.js'

// The quick form of this soak would repeat the ordinary test.
describe.runIf(process.env['CHAOS_SOAK'] !== 'quick' && hasPrograms('redis-server'))(
  'redisChaos at its original length (skipped in the quick form, and without redis-server on PATH: Debian package redis-server)',
  () => {
    it('frozen for 30 s, then 500 ms late with 2 % loss for 60 s: loses nothing, and heals', () => redisChaos())
  },
)
