import { checkOptions } from '@chaos/core/authoring'
import type { Route } from './route.js'
import { injectionStateSchema, noQuerySchema, plainState, renewalSchema } from './schemas.js'

export const renewRoute: Route = {
  method: 'POST',
  path: '/injections/:id/renewals',
  operation: 'renew',
  summary: 'Renews the lease of an injection in force: it then ends `leaseMs` from now, earlier or later than before.',
  query: noQuerySchema,
  body: renewalSchema,
  status: 200,
  response: injectionStateSchema,
  takesKey: true,
  async run({ controller, id, body }) {
    const { leaseMs } = checkOptions(renewalSchema, body, 'POST /injections/:id/renewals')
    return plainState(await controller.renew(id, leaseMs))
  },
}
