import { inject } from '@chaos/core'
import http from 'node:http'
import * as namespace from 'node:http'
import https from 'node:https'
import { Agent } from 'undici'
import { it } from 'vitest'
import {
  answerRequests,
  corruptResponses,
  cutResponses,
  delayRequests,
  hangRequests,
  hangResponses,
  slowResponses,
} from './index.js'

it('takes the client modules, agents and servers, and checks options', () => {
  void inject(answerRequests({ answer: 'http/429' }), http, { only: 'GET http://api.example/*' })
  void inject(delayRequests({ delayMs: 5, jitterMs: 5, distribution: 'normal' }), https)
  void inject(hangRequests(), namespace)
  void inject(cutResponses({ afterBytes: 5, how: 'end' }), new https.Agent())
  void inject(slowResponses({ delayMs: 5, pieceBytes: 1 }), http.createServer())
  void inject(hangResponses({ afterBytes: 5 }), https.createServer())
  void inject(corruptResponses({ damage: 'empty' }), globalThis)
  // @ts-expect-error -- a delay is needed
  delayRequests()
  // @ts-expect-error -- no such damage
  corruptResponses({ damage: 'truncated' })
  // @ts-expect-error -- no such option
  hangResponses({ bytes: 5 })
  // @ts-expect-error -- nothing of HTTP
  void inject(hangRequests(), new Map())
})

it('takes globalThis and dispatchers of undici, and checks options', () => {
  void inject(answerRequests(), globalThis)
  void inject(
    answerRequests({ answer: 'http/429', retryAfterMs: 5, body: 'slow down', contentType: 'text/html', afterMs: 5 }),
    new Agent(),
  )
  void inject(cutResponses({ afterBytes: 5 }), new Agent())
  void inject(slowResponses({ delayMs: 5, pieceBytes: 2 }), globalThis)
  // @ts-expect-error -- no such answer
  answerRequests({ answer: 'http/418' })
  // @ts-expect-error -- no such option
  answerRequests({ status: 503 })
})
