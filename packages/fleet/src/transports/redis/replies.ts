/**
 * Returns the replies of a pipeline or transaction.
 *
 * @throws The first error among them.
 */
export function repliesOf(
  results: readonly (readonly [error: Error | null, reply: unknown])[] | null,
): readonly unknown[] {
  if (results === null) throw new Error('The transaction was not run')
  for (const [error] of results) if (error !== null) throw error
  return results.map(([, reply]) => reply)
}
