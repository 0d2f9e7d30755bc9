import type { ErrorDetails } from '@chaos/core'

/**
 * Says where in the body of an inject request the option is that an error is about.
 *
 * @param fault The fault of the request.
 * @returns A JSON pointer, or `undefined` if the option is not in the body
 */
export function fieldIn({ of, field }: ErrorDetails, fault: unknown): string | undefined {
  if (of === 'inject' || of === 'renew') return field
  const isOfFault = typeof fault === 'string' && (of === fault || of.endsWith(`/${fault}`))
  return isOfFault ? `/options${field}` : undefined
}
