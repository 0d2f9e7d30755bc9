import { inject } from '@chaos/core'
import net from 'node:net'
import * as namespace from 'node:net'
import { it } from 'vitest'
import {
  cutConnections,
  cutResponses,
  delayConnections,
  hangConnections,
  refuseConnections,
  slowResponses,
} from './index.js'

it('takes the net module, and checks options', () => {
  void inject(refuseConnections({ error: 'net/etimedout', afterMs: 5 }), net, { only: '*:6379' })
  void inject(hangConnections(), namespace)
  void inject(delayConnections({ delayMs: 5 }), net)
  void inject(cutConnections({ how: 'end' }), net)
  void inject(cutResponses({ afterBytes: 5 }), net)
  void inject(slowResponses({ delayMs: 5 }), net)
  // @ts-expect-error -- no such outage of a connection
  refuseConnections({ error: 'fs/enospc' })
  // @ts-expect-error -- a delay is needed
  delayConnections()
  // @ts-expect-error -- a delay is needed
  slowResponses({})
  // @ts-expect-error -- no such end
  cutConnections({ how: 'fin' })
  // @ts-expect-error -- no such option
  cutResponses({ bytes: 5 })
  // @ts-expect-error -- not the net module
  void inject(hangConnections(), new net.Socket())
})
