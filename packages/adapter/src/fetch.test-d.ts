import { inject } from '@chaos/core'
import { Agent } from 'undici'
import { it } from 'vitest'
import { answerRequests, cutResponses, slowResponses } from './fetch.js'

it('takes globalThis and dispatchers, and checks options', () => {
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
  // @ts-expect-error -- not a dispatcher
  void inject(answerRequests(), new Map())
})
