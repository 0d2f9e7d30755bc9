import { inject } from '@chaos/core'
import pg from 'pg'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { pgQueries } from './index.js'

it('takes pools and clients of pg, and the class of clients', () => {
  void inject(refuseCalls({ methods: ['INSERT', 'connect'], error: 'postgres/deadlock' }), pgQueries(new pg.Pool()), {
    only: (args) => String(args[0]).includes('accounts'),
  })
  pgQueries(new pg.Client())
  pgQueries(pg.Client)
  // @ts-expect-error -- neither
  pgQueries(new Map())
  // @ts-expect-error -- not a class of clients
  pgQueries(Map)
})
