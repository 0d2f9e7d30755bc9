import { currentScope, type Scope } from '@chaos/core'
import { areScopesNeeded, runInScope } from '@chaos/core/authoring'
import type { Message } from './bus.js'

/** The header of a message that carries a scope, and its name in every protocol. */
export const BAGGAGE = 'baggage'

/** The longest header that is read. */
const MAX_HEADER_BYTES = 8_192

/** Reads a header, which clients give as text or bytes. Anything else, and a header that is too long, is ignored. */
export function headerText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.every((one) => typeof one === 'string') ? value.join(',') : undefined
  return value instanceof Uint8Array && value.length <= MAX_HEADER_BYTES ? Buffer.from(value).toString() : undefined
}

/** Does something on whose behalf a message was sent, if the message carries that. */
export function onBehalfOfSender<Result>(message: Pick<Message, 'scope'>, work: () => Result): Result {
  return areScopesNeeded() ? within(message.scope, work) : work()
}

/** Does something in a scope, or in one that is nested in it if that is the current one. */
function within<Result>(scope: Scope | undefined, work: () => Result): Result {
  if (scope === undefined) return work()
  for (let current = currentScope(); current !== undefined; current = current.parent)
    if (current === scope) return work()
  return runInScope(scope, work)
}
