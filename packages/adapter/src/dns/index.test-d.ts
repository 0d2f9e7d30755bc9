import { inject } from '@chaos/core'
import dns from 'node:dns'
import { it } from 'vitest'
import { failLookups } from './index.js'

it('takes the dns module, and checks options', () => {
  void inject(failLookups({ error: 'dns/enotfound', afterMs: 5 }), dns, { only: '*.example' })
  // @ts-expect-error -- no such outage of a lookup
  failLookups({ error: 'net/econnrefused' })
  // @ts-expect-error -- no such option
  failLookups({ host: 'example' })
  // @ts-expect-error -- not the dns module
  void inject(failLookups(), new dns.Resolver())
})
