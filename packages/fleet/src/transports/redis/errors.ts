import { ChaosError, isChaosError } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'

/** How Redis begins what it says to a user who may not do something. A script says it in other words. */
const REFUSALS = /^(NOPERM|WRONGPASS|NOAUTH)\b|user executing the script|invalid password/i

/**
 * Translates what ioredis or Redis says.
 *
 * @param where The address, without the credential.
 */
export function fleetError(error: unknown, where: string): ChaosError {
  if (isChaosError(error)) return error
  const said = messageOf(reasonOf(error)).replace(/\.$/, '')
  // The errors of ioredis carry their command, and with it the password or the plan.
  const cause = typeof error === 'object' && error !== null && 'command' in error ? undefined : error
  if (REFUSALS.test(said))
    return new ChaosError(
      'CHAOS_FLEET_FORBIDDEN',
      `Redis at ${where} refused: ${said}. Check the user and the password, and the rules that \`chaos fleet acl\` writes.`,
      { cause },
    )
  return new ChaosError(
    'CHAOS_FLEET_UNREACHABLE',
    `Redis at ${where} did not answer: ${said}. Check that it runs, and that this process can connect to it.`,
    { cause },
  )
}

/** Returns why Redis has discarded a transaction; another error as it is. */
function reasonOf(error: unknown): unknown {
  if (!isReply(error, 'EXECABORT')) return error
  const { previousErrors } = error as { readonly previousErrors?: unknown }
  return Array.isArray(previousErrors) && previousErrors.length > 0 ? previousErrors[0] : error
}

/** Whether Redis answered with an error of this kind: the first word of what it said. */
export function isReply(error: unknown, kind: string): boolean {
  return messageOf(error).startsWith(`${kind} `)
}
