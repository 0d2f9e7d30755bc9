import { injectedBy } from '@chaos/core'
import { type InjectionContext } from '@chaos/core/authoring'
import type { StatementQueue } from './statement-queue.js'

/** A statement that was given to a connection. */
export interface Statement {
  readonly connection: object
  /** Gives it to the driver. */
  readonly send: () => Promise<unknown>
  /** What its caller gets; absent for one that no fault affects, but that others are ahead of. */
  readonly answer?: ((proceed: () => Promise<unknown>) => Promise<unknown>) | undefined
  /** What an injected error does besides: to the transaction of a statement that the server refuses, to a connection that it ends. */
  readonly onFailure?: (error: Error, failure: { readonly wasSent: boolean }) => Promise<unknown>
}

/** Answers a statement, while those that come after it on its connection wait for their turn. */
export async function answerInTurn(
  queue: StatementQueue,
  { connection, send, answer, onFailure }: Statement,
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
    return await answer(proceed)
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

/** The driver's own timeout, which begins when a statement is given to it. @param timeoutMs 0 or nothing: none. */
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
