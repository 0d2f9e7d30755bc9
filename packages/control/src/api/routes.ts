import * as v from 'valibot'
import { ChaosError, type PortableInjectOptions, type StopReport } from '@chaos/core'
import { checkOptions, unknownName } from '@chaos/core/authoring'
import type { InjectRequest, Route } from './route.js'
import { auditRoute } from './routes-audit.js'
import { batchRoute } from './routes-batches.js'
import { renewRoute } from './routes-renew.js'
import { scopeRoutes } from './routes-scopes.js'
import {
  controllerInfoSchema,
  faultInfoSchema,
  injectionRequestSchema,
  injectionStateSchema,
  noQuerySchema,
  plainInfo,
  plainState,
  stopAllQuerySchema,
  stopReportSchema,
  targetInfoSchema,
} from './schemas.js'

export const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/info',
    operation: 'getInfo',
    summary: 'Describes the process and whether it allows faults.',
    query: noQuerySchema,
    status: 200,
    response: controllerInfoSchema,
    run: async ({ controller }) => plainInfo(await controller.info()),
  },
  {
    method: 'GET',
    path: '/targets',
    operation: 'listTargets',
    summary: 'Lists the targets.',
    query: noQuerySchema,
    status: 200,
    response: v.array(targetInfoSchema),
    run: ({ controller }) => controller.targets(),
  },
  {
    method: 'GET',
    path: '/faults',
    operation: 'listFaults',
    summary: 'Lists the faults, each with the JSON Schema of its options.',
    query: noQuerySchema,
    status: 200,
    response: v.array(faultInfoSchema),
    run: ({ controller }) => controller.faults(),
  },
  {
    method: 'GET',
    path: '/injections',
    operation: 'listInjections',
    summary: 'Lists live injections and the most recently ended ones, oldest first.',
    query: noQuerySchema,
    status: 200,
    response: v.array(injectionStateSchema),
    run: async ({ controller }) => (await controller.injections()).map(plainState),
  },
  {
    method: 'POST',
    path: '/injections',
    operation: 'inject',
    summary: 'Injects a fault. Answers when it is in force (standing) or done (instant).',
    query: noQuerySchema,
    body: injectionRequestSchema,
    status: 201,
    response: injectionStateSchema,
    takesKey: true,
    run: ({ body, arm }) => arm(injectRequestOf(body, 'POST /injections')),
  },
  {
    method: 'POST',
    path: '/checks',
    operation: 'check',
    summary: 'Checks a body for POST /injections without injecting. Refuses it with the same error as injecting would.',
    query: noQuerySchema,
    body: injectionRequestSchema,
    status: 204,
    isAudited: false,
    run: ({ body, check }) => check(injectRequestOf(body, 'POST /checks')),
  },
  {
    method: 'DELETE',
    path: '/injections',
    operation: 'stopAll',
    summary:
      'Ends every injection of the process at once, including those of other clients. Works even where chaos is switched off.',
    query: stopAllQuerySchema,
    status: 200,
    response: stopReportSchema,
    run: async ({ controller }) => stopReportOf(await controller.stopAll()),
  },
  {
    method: 'GET',
    path: '/injections/:id',
    operation: 'getInjection',
    summary: 'Describes one injection, live or recently ended.',
    query: noQuerySchema,
    status: 200,
    response: injectionStateSchema,
    run: async ({ controller, id }) => {
      const injections = await controller.injections()
      // An id can be reused after its injection has ended. The newest injection counts.
      const found = injections.filter((injection) => injection.id === id).at(-1)
      if (found !== undefined) return plainState(found)
      const known = injections.map((injection) => injection.id)
      throw new ChaosError('CHAOS_UNKNOWN_INJECTION', unknownName('injection', id, known))
    },
  },
  {
    method: 'DELETE',
    path: '/injections/:id',
    operation: 'stop',
    summary: 'Ends one injection and rolls it back. Has no effect if it has already ended.',
    query: noQuerySchema,
    status: 200,
    response: injectionStateSchema,
    run: async ({ controller, id }) => plainState(await controller.stop(id)),
  },
  renewRoute,
  batchRoute,
  auditRoute,
  {
    method: 'GET',
    path: '/openapi.json',
    operation: 'getOpenApi',
    summary: 'Returns this OpenAPI document.',
    query: noQuerySchema,
    status: 200,
    response: v.looseObject({ openapi: v.string() }),
    run: ({ document }) => document(),
  },
  ...scopeRoutes,
]

function injectRequestOf(body: unknown, of: string): InjectRequest {
  const { target, fault, options, connection, ...how } = checkOptions(injectionRequestSchema, body, of)
  return { target, fault, options, connection, how: how as PortableInjectOptions }
}

/** The report of stopping everything, as plain data. */
export function stopReportOf({ stopped }: StopReport): StopReport {
  return { stopped: stopped.map(plainState) }
}

/** The longest path below the base, in characters as sent. It fits the longest id with every character encoded. */
export const MAX_PATH = 1_024
/** The longest id of an injection, in characters. */
export const MAX_ID = 320

/** The routes that match a path, for all methods. */
export interface Match {
  readonly id: string
  readonly allowed: readonly Route[]
}

/**
 * Returns the routes of a path, or `undefined` for an unknown path. Segments are compared as sent. Only an id is
 * decoded.
 *
 * @throws ChaosError `CHAOS_URL_TOO_LONG` when the path or the id is too long
 */
export function matchRoutes(path: string): Match | undefined {
  if (path.length > MAX_PATH)
    throw new ChaosError('CHAOS_URL_TOO_LONG', `The path has ${path.length} characters, more than ${MAX_PATH}.`)
  const segments = path.split('/')
  let id = ''
  const allowed = routes.filter((route) => {
    const wanted = route.path.split('/')
    return (
      wanted.length === segments.length && wanted.every((part, index) => part === segments[index] || part === ':id')
    )
  })
  if (allowed.length === 0) return undefined
  const place = allowed[0]?.path.split('/').indexOf(':id') ?? -1
  try {
    if (place !== -1) id = decodeURIComponent(segments[place] ?? '')
  } catch {
    return undefined
  }
  if (id.length > MAX_ID)
    throw new ChaosError('CHAOS_URL_TOO_LONG', `The id has ${id.length} characters, more than ${MAX_ID}.`)
  return { id, allowed }
}
