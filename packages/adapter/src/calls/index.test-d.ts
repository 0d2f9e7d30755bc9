import { inject } from '@chaos/core'
import pg from 'pg'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { bindPg } from '../drivers/pg/index.js'
import {
  corruptResults,
  cutResults,
  delayCalls,
  duplicateWrites,
  exhaustPool,
  failAfterCall,
  flapCalls,
  hangCalls,
  limitRate,
  loseWrites,
  refuseCalls,
  serveStaleReads,
  timeOutCalls,
} from './index.js'

it('takes objects and classes, and no other targets', () => {
  const faults = [
    corruptResults({ damage: 'empty' }),
    cutResults({ methods: ['scan'], afterItems: 2, error: 'ECONNRESET' }),
    delayCalls({ delayMs: 5, jitterMs: 1, seam: 'response' }),
    duplicateWrites({ methods: 'set', copies: 2 }),
    failAfterCall({ methods: ['set'], error: 'ECONNRESET' }),
    flapCalls({ downMs: 1, upMs: 2, first: 'up' }),
    hangCalls({ seam: 'response' }),
    limitRate({ calls: 1, perMs: 2, refusal: 'response' }),
    loseWrites({ methods: 'set', answer: ['OK'] }),
    refuseCalls({ methods: ['get'], error: 'ECONNREFUSED', port: 6379 }),
    refuseCalls({ makeError: ({ method }) => new Error(method) }),
    serveStaleReads({ methods: 'get', lagMs: 5 }),
    timeOutCalls({ timeoutMs: 5, code: 'ETIMEOUT' }),
  ]
  for (const fault of faults) {
    void inject(fault, new Store())
    void inject(fault, Store)
    // @ts-expect-error -- not an object
    void inject(fault, 'store')
  }
})

it('takes bound pools where it exhausts them', () => {
  void inject(exhaustPool({ leave: 1 }), bindPg(new pg.Pool()))
  // @ts-expect-error -- not bound
  void inject(exhaustPool(), new pg.Pool())
})

it('refuses values that an option does not take, and options that are missing', () => {
  // @ts-expect-error -- no such damage
  corruptResults({ damage: 'shred' })
  // @ts-expect-error -- not a number
  cutResults({ afterItems: '2' })
  // @ts-expect-error -- `delayMs` is missing
  delayCalls({ jitterMs: 1 })
  // @ts-expect-error -- `methods` are missing
  duplicateWrites({ copies: 2 })
  // @ts-expect-error -- no such preset
  failAfterCall({ error: 'ECONRESET' })
  // @ts-expect-error -- `upMs` is missing
  flapCalls({ downMs: 1 })
  // @ts-expect-error -- no such seam
  hangCalls({ seam: 'reply' })
  // @ts-expect-error -- `perMs` is missing
  limitRate({ calls: 1 })
  // @ts-expect-error -- `methods` are missing
  loseWrites({ answer: 'OK' })
  // @ts-expect-error -- no such preset
  refuseCalls({ error: 'ECONNREFUSE' })
  // @ts-expect-error -- `methods` are missing
  serveStaleReads({ lagMs: 5 })
  // @ts-expect-error -- `timeoutMs` is missing
  timeOutCalls({ code: 'ETIMEOUT' })
})

it('refuses options that a fault does not have', () => {
  // @ts-expect-error -- no such option
  corruptResults({ method: 'get' })
  // @ts-expect-error -- no such option
  cutResults({ after: 2 })
  // @ts-expect-error -- no such option
  delayCalls({ delayMs: 5, method: 'get' })
  // @ts-expect-error -- no such option
  duplicateWrites({ methods: 'set', method: 'get' })
  // @ts-expect-error -- no such option
  exhaustPool({ keep: 1 })
  // @ts-expect-error -- no such option
  failAfterCall({ method: 'get' })
  // @ts-expect-error -- no such option
  flapCalls({ downMs: 1, upMs: 2, method: 'get' })
  // @ts-expect-error -- no such option
  hangCalls({ method: 'get' })
  // @ts-expect-error -- no such option
  limitRate({ calls: 1, perMs: 2, method: 'get' })
  // @ts-expect-error -- no such option
  loseWrites({ methods: 'set', method: 'get' })
  // @ts-expect-error -- no such option
  refuseCalls({ method: 'get' })
  // @ts-expect-error -- no such option
  serveStaleReads({ methods: 'get', method: 'get' })
  // @ts-expect-error -- no such option
  timeOutCalls({ timeoutMs: 5, method: 'get' })
})
