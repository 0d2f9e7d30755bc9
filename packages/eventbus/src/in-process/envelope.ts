import type { Scope } from '@chaos/core'
import { chainOfScope, scopeOfChain } from '@chaos/core/authoring'

/** What a message of a thread travels in, together with its scope. Structured clones keep no symbols. */
const SCOPE = '@chaos/eventbus.scope'
const MESSAGE = 'message'

/** Who in this thread waits for the envelopes of an end, by the id of that end. */
const openings = new Map<string, () => void>()

/** Hears of each envelope of an end that is opened in this thread, until the returned function is called. */
export function onOpened(sender: string, opened: () => void): () => void {
  openings.set(sender, opened)
  return () => void openings.delete(sender)
}

/** Puts a message and its scope into an envelope. @param sender The id of the end that sends it. */
export function sealed(sender: string, scope: Scope, message: unknown): object {
  return { [SCOPE]: [sender, chainOfScope(scope)], [MESSAGE]: message }
}

/** A message without its envelope. */
export interface Opened {
  readonly message: unknown
  readonly scope?: Scope | undefined
}

/** Takes a message out of its envelope, if it has one. */
export function opened(message: unknown): Opened {
  if (typeof message !== 'object' || message === null || !Object.hasOwn(message, SCOPE)) return { message }
  const label: unknown = Reflect.get(message, SCOPE)
  const [sender, chain] = Array.isArray(label) ? (label as readonly unknown[]) : []
  if (typeof sender !== 'string') return { message }
  openings.get(sender)?.()
  return { message: Reflect.get(message, MESSAGE), scope: scopeOfChain(chain) }
}
