/** Verbs of statements, as PostgreSQL, MySQL and MariaDB have them. */
export const SQL_VERBS: readonly string[] = (
  'ABORT ALTER ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DESC DESCRIBE DISCARD DO DROP END EXECUTE EXPLAIN FETCH FLUSH GRANT HANDLER IMPORT INSERT KILL ' +
  'LISTEN LOAD LOCK MERGE MOVE NOTIFY OPTIMIZE PREPARE PURGE REASSIGN REFRESH REINDEX RELEASE RENAME REPAIR REPLACE RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE TRUNCATE UNLISTEN ' +
  'UNLOCK UPDATE USE VACUUM VALUES XA OTHER'
).split(' ')

/** What stands in a statement without being part of its words: comments, strings, quoted names, dollar-quoted bodies. */
const ASIDES = /--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\.|'')*'|"(?:[^"]|"")*"|`[^`]*`|(\$\w*\$)[\s\S]*?\1/g
const MAIN_VERB = /^(?:SELECT|INSERT|UPDATE|DELETE|MERGE|REPLACE|VALUES|TABLE)$/

/**
 * The verb of a statement, in capitals: `SELECT`, `INSERT`, `BEGIN`. Of one that begins with `WITH`, the verb of its main part; of several
 * statements in one text, that of the first; `OTHER` where there is none.
 */
export function verbOf(sql: string): string {
  const [first] = /^[\s(]*\w+/.exec(sql) ?? []
  const verb = first?.replace(/^[\s(]+/, '').toUpperCase()
  // A statement of plain words needs no scan.
  if (verb !== undefined && verb !== 'WITH') return verb
  let depth = 0
  const words = sql.replace(ASIDES, ' ').matchAll(/[()]|\w+/g)
  for (const [found] of words) {
    if (found === '(') depth += 1
    else if (found === ')') depth -= 1
    else if (verb === undefined || (depth <= 0 && MAIN_VERB.test(found.toUpperCase()))) return verbOf(found)
  }
  return 'OTHER'
}
