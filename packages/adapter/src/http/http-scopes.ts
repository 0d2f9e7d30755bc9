import { inject } from '@chaos/core'
import {
  checkOptions,
  defineFault,
  globMatcher,
  keepScopesOpen,
  MAX_TIMER_MS,
  option,
  optionsSchema,
} from '@chaos/core/authoring'
import http from 'node:http'
import { attributesOf, identifyBy, type IdentifyRequest, type SenderNames } from './scopes/identify.js'
import { scopesOfIncoming } from './scopes/incoming.js'
import { scopesOfOutgoing, type OutgoingScopes } from './scopes/outgoing.js'
import type { ScopeWishes } from './scopes/request-scopes.js'

const TOKEN = /^[\w!#$%&'*+.^`|~-]{1,200}$/
const nameOf = (what: string, description: string) =>
  option.optional(option.matching(TOKEN, `the name of a ${what}, at most 200 characters`, description))

const schema = optionsSchema({
  to: option.optional(
    option.names('Origins whose requests carry the current scope: http://127.0.0.1:8080, or globs. Default: all.'),
  ),
  accept: option.optional(
    option.oneOf(['any', 'minted'], 'Which members of senders count: any that is signed, or only minted ones.'),
    'any',
  ),
  identify: option.optional(
    option.either(
      option.func<IdentifyRequest>('Tells who has sent a request.'),
      option.settings<SenderNames>(
        {
          user: nameOf('header', 'The header that names the user.'),
          tenant: nameOf('header', 'The header that names the tenant.'),
          session: nameOf('cookie', 'The cookie that names the session.'),
        },
        'Where requests name their sender.',
      ),
      'a function, or an object of header names (`user`, `tenant`) and a cookie name (`session`)',
    ),
  ),
})

/** Options of {@link httpScopes}. */
export interface HttpScopesOptions {
  /**
   * The origins whose requests carry the current scope: `http://127.0.0.1:8080`, or globs. Requests to other origins carry none,
   * not even one that the application passes on. Default: all.
   */
  readonly to?: string | readonly string[]
  /**
   * Which members in the header of a request count. `any`: each that a process with the same key has written. `minted`: only
   * those of `mintScope`, which end by themselves; a request then carries no member that the application passes on. Choose it for
   * a process that strangers reach. Default `any`.
   */
  readonly accept?: 'any' | 'minted'
  /**
   * Who has sent a request, for faults with a predicate such as `{ user: 'alice' }`: a function, or the names of the headers of
   * user and tenant and of the session's cookie. It is asked for each request while scopes are needed. Default: nobody knows, and
   * no header and cookie is read.
   */
  readonly identify?: IdentifyRequest | SenderNames
}

/** The scopes of requests, as long as they are in force. */
export interface HttpScopes {
  /** Takes everything back. */
  stop(): Promise<void>
}

/**
 * Opens a scope for each incoming request of the HTTP servers of this process, and carries the current scope in outgoing ones.
 *
 * The scope of a request is named `GET /items`, without the query. It is nested in the scope that its `baggage` header names, if
 * the caller has the same key, or the header was minted with it. Requests that are sent on behalf of a scope get the member `chaos`
 * in their `baggage` header, beside the members of the application. While nobody needs scopes, no scope is opened or carried.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option, or an error of `inject`.
 */
export async function httpScopes(given: HttpScopesOptions = {}): Promise<HttpScopes> {
  const { to, accept, identify } = checkOptions(schema, given, 'httpScopes')
  const wishes: ScopeWishes = {
    accept,
    ...(identify !== undefined && {
      attributesOf: attributesOf(typeof identify === 'function' ? identify : identifyBy(identify)),
    }),
  }
  const outgoing: OutgoingScopes = {
    isEdge: accept === 'minted',
    ...(to !== undefined && { isTo: globMatcher([to].flat()) }),
  }
  return keepScopesOpen(() =>
    inject(carryScopes({ wishes, outgoing }), http, { leaseMs: MAX_TIMER_MS, targetName: 'http' }),
  )
}

const anything = (): boolean => true

/** A fault that breaks nothing. As a fault it is patched in and rolled back like any other. */
const carryScopes = defineFault({
  name: 'adapter/http-scopes',
  kind: 'standing',
  summary: 'Carries scopes through HTTP requests.',
  options: {
    wishes: option.live<ScopeWishes>(
      anything,
      'what is wanted of request scopes',
      'How scopes of requests are opened.',
    ),
    outgoing: option.live<OutgoingScopes>(anything, 'what is wanted of requests', 'Which requests carry scopes.'),
  },
  target: { expects: 'the `node:http` module', accepts: (value) => value === http },
  inject(_http: typeof http, { wishes, outgoing }, context) {
    scopesOfIncoming(context, wishes)
    scopesOfOutgoing(context, outgoing)
  },
})
