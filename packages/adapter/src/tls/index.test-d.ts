import { inject } from '@chaos/core'
import tls from 'node:tls'
import * as namespace from 'node:tls'
import { it } from 'vitest'
import { failHandshakes } from './index.js'

it('takes the tls module, and checks options', () => {
  void inject(failHandshakes(), tls, { only: '*:443' })
  void inject(failHandshakes({ error: 'tls/wrong-host' }), namespace)
  // @ts-expect-error -- no such outage of a handshake
  failHandshakes({ error: 'net/econnrefused' })
  // @ts-expect-error -- no such option
  failHandshakes({ afterMs: 5 })
  // @ts-expect-error -- not the tls module
  void inject(failHandshakes(), new Map())
})
