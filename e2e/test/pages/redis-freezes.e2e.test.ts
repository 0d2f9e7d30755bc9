import { hasPrograms } from '@chaos/test-servers'
import { it } from 'vitest'
import { followPage } from './redis-freezes.js'

it.runIf(hasPrograms('redis-server', 'curl'))(
  'the page on a Redis that freezes shows what its commands print, but for the run of the experiment (skipped without redis-server and curl)',
  () => followPage(false),
)
