import type * as v from 'valibot'
import type { ChaosController, InjectionState, JsonSchema, PortableInjectOptions } from '@chaos/core'
import type { OptionsSchema } from '@chaos/core/authoring'
import type { AuditEntry } from './audit-log.js'

/** A request to inject a fault. */
export interface InjectRequest {
  readonly target: string
  readonly fault: string
  readonly options: Readonly<Record<string, unknown>> | undefined
  readonly how: PortableInjectOptions
  /** The id of the event stream that holds the injection. */
  readonly connection: string | undefined
}

/** The request and the services that a route's handler receives. */
export interface Call {
  readonly controller: ChaosController
  /** The `:id` of the path, decoded. */
  readonly id: string
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  /** Performs the checks of `arm` without arming. */
  readonly check: (request: InjectRequest) => Promise<void>
  /** Injects a fault for a client that may disconnect. */
  readonly arm: (request: InjectRequest) => Promise<InjectionState>
  /** Injects several faults for a client that may disconnect: all of them, or none. */
  readonly armAll: (requests: readonly InjectRequest[]) => Promise<readonly InjectionState[]>
  /** Returns the OpenAPI document, which is generated from the route table. */
  readonly document: () => JsonSchema
  /** Returns the audit log, oldest entry first. */
  readonly audit: () => readonly AuditEntry[]
}

/** One route of the API. The dispatcher and the OpenAPI document are derived from the route table. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly operation: string
  readonly summary: string
  readonly query: OptionsSchema
  readonly body?: OptionsSchema
  /** The status of success. */
  readonly status: 200 | 201 | 204
  /** The schema of the response body; absent for status 204. */
  readonly response?: v.GenericSchema
  /** Whether a request may carry an `Idempotency-Key`. Default `false`. */
  readonly takesKey?: boolean
  /** Whether a request is in the audit log. Default: all but GET. */
  readonly isAudited?: boolean
  readonly run: (call: Call) => unknown
}
