import { expect, it } from 'vitest'
import { SQL_VERBS, verbOf } from './verbs.js'

it.each([
  ['select 1', 'SELECT'],
  ['  \n INSERT into a values (1)', 'INSERT'],
  ['(select 1) union (select 2)', 'SELECT'],
  ['/* app: "x" */ update a set b = 1', 'UPDATE'],
  ['-- select\ndelete from a', 'DELETE'],
  ['# select\nreplace into a values (1)', 'REPLACE'],
  ['with new as (insert into a values (1) returning *) select * from new', 'SELECT'],
  ["with t as (select ')' as x) delete from a using t", 'DELETE'],
  ['with recursive n(i) as (values (1) union all select i + 1 from n) insert into a select i from n', 'INSERT'],
  ['with t as (select $$ ) delete $$) update a set b = 1', 'UPDATE'],
  ['with `delete` as (select 1) select 1', 'SELECT'],
  ['begin; insert into a values (1)', 'BEGIN'],
  ['START TRANSACTION', 'START'],
  ["with t as (select 'it''s ) delete' as x, '\\') delete') update a set b = 1", 'UPDATE'],
  ['with a$b as (select 1) select 1', 'SELECT'],
  ['', 'OTHER'],
  ['with x', 'OTHER'],
])('of %j, the verb is %s', (sql, verb) => {
  expect(verbOf(sql)).toBe(verb)
  expect(SQL_VERBS).toContain(verb)
})

it('takes time in proportion to a statement, whatever stands in it', () => {
  const large = [
    '/*'.repeat(500_000),
    "'\\".repeat(500_000),
    Array.from({ length: 100_000 }, (_, n) => `$t${n}$ `).join(''),
    `'${'x'.repeat(5_000_000)}'`,
    '$'.repeat(1_000_000),
  ]
  for (const text of large) expect(verbOf(`-- a comment\nselect ${text}`)).toBe('SELECT')
})
