/** Verbs of statements, as PostgreSQL, MySQL and MariaDB have them. */
export const SQL_VERBS: readonly string[] = (
  'ABORT ALTER ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DESC DESCRIBE DISCARD DO DROP END EXECUTE EXPLAIN FETCH FLUSH GRANT HANDLER IMPORT INSERT KILL ' +
  'LISTEN LOAD LOCK MERGE MOVE NOTIFY OPTIMIZE PREPARE PURGE REASSIGN REFRESH REINDEX RELEASE RENAME REPAIR REPLACE RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE TRUNCATE UNLISTEN ' +
  'UNLOCK UPDATE USE VACUUM VALUES XA OTHER'
).split(' ')

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
  const words = withoutAsides(sql).matchAll(/[()]|\w+/g)
  for (const [found] of words) {
    if (found === '(') depth += 1
    else if (found === ')') depth -= 1
    else if (verb === undefined || (depth <= 0 && MAIN_VERB.test(found.toUpperCase()))) return verbOf(found)
  }
  return 'OTHER'
}

/** What begins an aside: a comment, a string, a quoted name, a dollar-quoted body. */
const BEGINNING = /--|#|\/\*|['"`]|\$\w*\$/g

/** A statement without what is no part of its words. It is read once, from left to right: a statement may hold megabytes of data. */
function withoutAsides(sql: string): string {
  const beginning = new RegExp(BEGINNING)
  let kept = ''
  let from = 0
  let hasBodies = true
  for (let found = beginning.exec(sql); found !== null; found = beginning.exec(sql)) {
    const [begin] = found
    const isBody = begin.startsWith('$')
    if (isBody && !hasBodies) continue
    const end =
      begin === "'" ? endOfString(sql, beginning.lastIndex) : endBehind(sql, END[begin] ?? begin, beginning.lastIndex)
    // A dollar is also a letter of names.
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
