import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ERROR_CODES, errorInfo } from './error-table.js'

const folder = new URL('../../../../docs/errors/', import.meta.url)

it('has a row for each code that has a page, and no other', () => {
  expect([...ERROR_CODES].sort()).toEqual(
    readdirSync(folder)
      .map((file) => file.replace('.md', ''))
      .sort(),
  )
})

it('has the HTTP status that the page says', () => {
  for (const code of ERROR_CODES) {
    const [, status] = /HTTP status (\d+)/.exec(readFileSync(new URL(`${code}.md`, folder), 'utf8')) ?? []
    if (status !== undefined) expect(errorInfo(code).status, code).toBe(Number(status))
  }
})

it('takes a code that it does not know for a target that is in the way', () => {
  expect(errorInfo('CHAOS_OF_A_THIRD_PARTY')).toEqual({ status: 409, kind: 'usage' })
})
