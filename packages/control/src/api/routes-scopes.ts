import * as v from 'valibot'
import { ChaosError, type MintedScope, type MintOptions } from '@chaos/core'
import { checkOptions, mintOptions, optionsSchema } from '@chaos/core/authoring'
import type { Route } from './route.js'
import { noQuerySchema } from './schemas.js'

/** The body of `POST /scopes`. */
const mintSchema = optionsSchema(mintOptions)

/** The longest header of a minted scope. */
const MAX_HEADER = 200

/** A minted scope as it travels. */
export const mintedScopeSchema = v.looseObject({
  id: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/)),
  header: v.pipe(v.string(), v.maxLength(MAX_HEADER), v.regex(/^chaos=[\w.-]+$/)),
  expiresAt: v.number(),
})

/** The routes about scopes. */
export const scopeRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/scopes',
    operation: 'mintScope',
    summary:
      'Mints a scope with the key of the process. Requests with its `header` as `baggage` are done in it, until it expires.',
    query: noQuerySchema,
    body: mintSchema,
    status: 201,
    response: mintedScopeSchema,
    async run({ controller, body }) {
      const given = checkOptions(mintSchema, body, 'POST /scopes')
      if (controller.mintScope === undefined)
        throw new ChaosError(
          'CHAOS_INVALID_REQUEST',
          'This controller mints no scopes, since it has no key: it is of several processes. Set `CHAOS_SCOPE_KEY`, and mint with `chaos scope`.',
        )
      return plainScope(await controller.mintScope(given as MintOptions))
    },
  },
]

/** A minted scope without what an older or newer controller has besides. */
export const plainScope = ({ id, header, expiresAt }: MintedScope): MintedScope => ({ id, header, expiresAt })
