import { verbOf } from './verbs.js'

/** Returns whether a statement ends its transaction. `ROLLBACK TO` goes back to a savepoint inside of it. */
export function endsTransaction(text: string): boolean {
  const verb = verbOf(text)
  if (verb === 'PREPARE') return /\bprepare\s+transaction\b/i.test(text)
  return ['COMMIT', 'END', 'ABORT', 'ROLLBACK'].includes(verb) && !/\b(?:to|prepared)\b/i.test(text)
}
