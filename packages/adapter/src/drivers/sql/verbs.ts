/** The statement verbs of PostgreSQL, MySQL and MariaDB. */
export const SQL_VERBS: readonly string[] = (
  'ABORT ALTER ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DESC DESCRIBE DISCARD DO DROP END EXECUTE EXPLAIN FETCH FLUSH GRANT HANDLER IMPORT INSERT KILL ' +
  'LISTEN LOAD LOCK MERGE MOVE NOTIFY OPTIMIZE PREPARE PURGE REASSIGN REFRESH REINDEX RELEASE RENAME REPAIR REPLACE RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE TRUNCATE UNLISTEN ' +
  'UNLOCK UPDATE USE VACUUM VALUES XA OTHER'
).split(' ')

const MAIN_VERB = /^(?:SELECT|INSERT|UPDATE|DELETE|MERGE|REPLACE|VALUES|TABLE)$/

/**
 * Returns the verb of a statement, in capitals: `SELECT`, `INSERT`, `BEGIN`. For a statement that begins with `WITH`,
 * this is the verb of its main part; for a text of several statements, the verb of the first. `OTHER` if there is no
 * verb.
 */
export function verbOf(sql: string): string {
  const [first] = /^[\s(]*\w+/.exec(sql) ?? []
  const verb = first?.replace(/^[\s(]+/, '').toUpperCase()
  // A statement that begins with its verb needs no scan.
  if (verb !== undefined && verb !== 'WITH') return verb
  let depth = 0
  const words = withoutQuotesAndComments(sql).matchAll(/[()]|\w+/g)
  for (const [found] of words) {
    if (found === '(') depth += 1
    else if (found === ')') depth -= 1
    else if (verb === undefined || (depth <= 0 && MAIN_VERB.test(found.toUpperCase()))) return verbOf(found)
  }
  return 'OTHER'
}

/** The start of a comment, a string, a quoted name or a dollar-quoted body. */
const SKIPPED_START = /--|#|\/\*|['"`]|\$\w*\$/g

/**
 * Removes comments, strings, quoted names and dollar-quoted bodies from a statement. A statement may hold megabytes of
 * data, so it is read once, from left to right.
 */
function withoutQuotesAndComments(sql: string): string {
  const beginning = new RegExp(SKIPPED_START)
  let kept = ''
  let from = 0
  let hasBodies = true
  for (let found = beginning.exec(sql); found !== null; found = beginning.exec(sql)) {
    const [begin] = found
    const isBody = begin.startsWith('$')
    if (isBody && !hasBodies) continue
    const end =
      begin === "'" ? endOfString(sql, beginning.lastIndex) : endBehind(sql, END[begin] ?? begin, beginning.lastIndex)
    // A dollar sign may also be part of a name.
    if (isBody && end === undefined) {
      hasBodies = false
      continue
    }
    kept += `${sql.slice(from, found.index)} `
    from = beginning.lastIndex = end ?? sql.length
  }
  return kept + sql.slice(from)
}

const END: Readonly<Record<string, string>> = { '--': '\n', '#': '\n', '/*': '*/' }

function endBehind(sql: string, end: string, from: number): number | undefined {
  const at = sql.indexOf(end, from)
  return at === -1 ? undefined : at + end.length
}

function endOfString(sql: string, from: number): number | undefined {
  for (let at = from; at < sql.length; at += 1) {
    if (sql[at] === '\\') at += 1
    else if (sql[at] === "'") return at + 1
  }
  return undefined
}
