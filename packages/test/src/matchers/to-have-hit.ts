import { checkOptions, globMatcher, option, optionsSchema } from '@chaos/core/authoring'
import { account, assertAllKnown, assertInjected, hitsOfInjected } from './injected.js'
import { result, type MatcherResult } from './result.js'

const schema = optionsSchema({
  operation: option.text('Name or glob of the operation.', 1_024),
  call: option.optional(option.count('Number of the call.', 1)),
})

/**
 * Whether a fault has affected an operation.
 *
 * @param operation Its name, or a glob such as `GET *`.
 * @param call The number of the call among those of the operation that the fault has seen, from 1. Default: any.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid argument; an error if the hits that are known do not tell.
 */
export function toHaveHit(received: unknown, operation: string, call?: number): MatcherResult {
  assertInjected(received, 'toHaveHit')
  checkOptions(schema, { operation, call }, 'toHaveHit')
  const matches = globMatcher([operation])
  const isHit = hitsOfInjected(received).some(
    (hit) => (hit.operation === operation || matches(hit.operation)) && (call === undefined || hit.call === call),
  )
  if (!isHit) assertAllKnown(received, 'toHaveHit')
  const wanted = call === undefined ? `\`${operation}\`` : `call ${call} of \`${operation}\``
  return result(
    isHit,
    () => `Expected the fault to have hit ${wanted}. ${account(received)}`,
    () => `Expected the fault not to have hit ${wanted}. ${account(received)}`,
  )
}
