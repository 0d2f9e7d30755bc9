import * as v from 'valibot'
import type { Route } from './route.js'
import { auditEntrySchema, noQuerySchema } from './schemas.js'

export const auditRoute: Route = {
  method: 'GET',
  path: '/audit',
  operation: 'getAudit',
  summary: 'Lists who changed what, and which changes were refused, oldest first. Bounded: old entries are removed.',
  query: noQuerySchema,
  status: 200,
  response: v.array(auditEntrySchema),
  run: ({ audit }) => audit(),
}
