import { hasPrograms } from '@chaos/test-servers'
import { it } from 'vitest'
import { followPage } from './redis-freezes.js'

// The quick form of this soak would repeat the ordinary test.
it.runIf(process.env['CHAOS_SOAK'] !== 'quick' && hasPrograms('redis-server', 'curl'))(
  'the page on a Redis that freezes shows what its commands print (skipped in the quick form, and without redis-server and curl)',
  () => followPage(true),
)
