import { ChaosError, isChaosError, type ChaosErrorCode } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import type { SentError } from './thread-proxy.js'

/** What a system error carries beside its message. */
const FIELDS = ['code', 'errno', 'syscall', 'address', 'port'] as const

/** Makes an error ready to be sent: a copy of an error by Node.js loses all fields but its message. */
export function sentError(error: unknown): SentError {
  const sent = { code: isChaosError(error) ? error.code : undefined, message: messageOf(error) }
  const cause: unknown = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error)) return sent
  const fields = FIELDS.map((name) => [name, Reflect.get(cause, name) as unknown])
  return { ...sent, cause: { message: cause.message, ...(Object.fromEntries(fields) as object) } }
}

/** Makes the error of {@link sentError} again. */
export function receivedError({ code, message, cause }: SentError): Error {
  const caused = cause && Object.assign(new Error(String(cause['message'])), cause)
  const options = caused === undefined ? {} : { cause: caused }
  return code === undefined ? new Error(message, options) : new ChaosError(code as ChaosErrorCode, message, options)
}
