import { checkOptions } from '@chaos/core/authoring'
import { batchError } from './batch-error.js'
import type { InjectRequest, Route } from './route.js'
import {
  batchedInjectionSchema,
  batchEnvelopeSchema,
  batchRequestSchema,
  batchSchema,
  noQuerySchema,
} from './schemas.js'

export const batchRoute: Route = {
  method: 'POST',
  path: '/batches',
  operation: 'injectAll',
  summary:
    'Injects several faults: all of them, or none. All are checked first, then injected in order. Answers when all are in force (standing) or done (instant).',
  query: noQuerySchema,
  body: batchRequestSchema,
  status: 201,
  response: batchSchema,
  takesKey: true,
  run: async ({ body, armAll }) => ({ injections: await armAll(requestsOf(body)) }),
}

/** Checks the parts one by one, so that an error names the part and its field. */
function requestsOf(body: unknown): readonly InjectRequest[] {
  const { injections, connection } = checkOptions(batchEnvelopeSchema, body, 'POST /batches')
  return injections.map((injection, index) => {
    try {
      const { target, fault, options, ...how } = checkOptions(batchedInjectionSchema, injection, 'inject')
      return { target, fault, options, connection, how: how as InjectRequest['how'] }
    } catch (error) {
      throw batchError(error, index, injection['fault'], ' Nothing was injected.')
    }
  })
}
