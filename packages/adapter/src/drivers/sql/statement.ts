import { injectedBy } from '@chaos/core'
import { type InjectionContext } from '@chaos/core/authoring'
import type { StatementQueue } from './statement-queue.js'

/** A statement of the application on a connection. */
export interface Statement {
  readonly connection: object
  /** Passes the statement to the driver. */
  readonly send: () => Promise<unknown>
  /** Answers the caller. Absent for a statement that no fault affects, but that has to wait for earlier ones. */
  readonly answer?: ((proceed: () => Promise<unknown>) => Promise<unknown>) | undefined
  /**
   * Applies the side effects of an injected error: a refused statement aborts its transaction, a connection error ends
   * the connection.
   */
  readonly onFailure?: (error: Error, failure: { readonly wasSent: boolean }) => Promise<unknown>
  /** Applies the side effects of a statement that the fault answered and never sent. */
  readonly onLost?: () => Promise<unknown>
}

/** Answers a statement, while later statements of the connection wait. */
export async function answerInTurn(
  queue: StatementQueue,
  { connection, send, answer, onFailure, onLost }: Statement,
): Promise<unknown> {
  const ahead = queue.ahead(connection)
  if (answer === undefined) return ahead === undefined ? send() : ahead.then(send)

  const release = queue.take(connection)
  let sent = 0
  const wasSent = (): boolean => sent > 0
  const proceed = async (): Promise<unknown> => {
    sent += 1
    if (ahead !== undefined) await ahead
    const reply = send()
    release()
    return reply
  }
  try {
    const reply = await answer(proceed)
    if (!wasSent() && onLost !== undefined) {
      await ahead
      await onLost()
    }
    return reply
  } catch (error) {
    if (injectedBy(error) !== undefined) {
      if (!wasSent()) await ahead
      await onFailure?.(error as Error, { wasSent: wasSent() })
    }
    throw error
  } finally {
    if (!wasSent()) release()
  }
}

/**
 * Applies the driver's own timeout, which starts when the driver gets the statement.
 *
 * @param timeoutMs In ms. `0`, `false` or `undefined`: no timeout.
 */
export function withOwnTimeout(
  answer: Promise<unknown>,
  timeoutMs: number | false | undefined,
  makeError: () => Error,
  { clock }: InjectionContext,
): Promise<unknown> {
  if (timeoutMs === undefined || timeoutMs === false || timeoutMs === 0) return answer
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => reject(makeError()))
    answer.finally(cancel).then(resolve, reject)
  })
}
