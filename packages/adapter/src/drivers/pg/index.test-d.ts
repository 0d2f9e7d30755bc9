import { inject } from '@chaos/core'
import pg from 'pg'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { bindPg } from './index.js'

it('takes pools and clients of pg, and the class of clients', () => {
  void inject(refuseCalls({ methods: ['INSERT', 'connect'], error: 'postgres/deadlock' }), bindPg(new pg.Pool()), {
    only: (args) => String(args[0]).includes('accounts'),
  })
  bindPg(new pg.Client())
  bindPg(pg.Client)
  // @ts-expect-error -- neither
  bindPg(new Map())
  // @ts-expect-error -- not a class of clients
  bindPg(Map)
})
