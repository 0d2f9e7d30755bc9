import { inject } from '@chaos/core'
import pg from 'pg'
import { it } from 'vitest'
import { pgQueries } from '../pg.js'
import { exhaustPool } from './exhaust-pool.js'

it('takes bound pools, and checks its options', () => {
  void inject(exhaustPool(), pgQueries(new pg.Pool()))
  void inject(exhaustPool({ leave: 1 }), pgQueries(new pg.Pool()))
  // @ts-expect-error -- no such option
  exhaustPool({ keep: 1 })
  // @ts-expect-error -- not bound
  void inject(exhaustPool(), new pg.Pool())
})
