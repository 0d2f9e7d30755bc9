import { endsTransaction } from '../sql/ends-transaction.js'

/** Aborts a transaction, as a failing statement does. The text names its origin in the log of the server. */
const FAILING_STATEMENT = "do $$ begin raise exception 'a statement was refused by a fault of @chaos/adapter'; end $$"

/**
 * Returns the statement that the server runs instead of one that it does not get, so that the session is afterwards in
 * the state that the caller expects: a failing statement aborts its transaction, and one that ends its transaction
 * (`COMMIT`) ends it, whether it is refused or lost.
 *
 * @param status The state of the session: `I` outside of a transaction, `T` inside, `E` in an aborted one. `undefined`:
 *   unknown.
 * @param error The error of the statement. Absent if the statement is lost.
 */
export function replacementFor(text: string, status: string | null | undefined, error?: Error): string | undefined {
  if (status === 'I') return undefined
  if (endsTransaction(text)) return 'rollback'
  if (error === undefined || status === 'E' || Reflect.get(error, 'severity') !== 'ERROR') return undefined
  return FAILING_STATEMENT
}
