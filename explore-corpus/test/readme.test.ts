import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { KnownHit } from '../src/shared/corpus-app.js'
import { broken, type Variant } from './searching.js'

function hitText({ scope, target, operation, call, times, fault }: KnownHit): string {
  const place = `${scope === undefined ? '' : `${scope}: `}${target}.${operation} #${call}`
  return `\`${place}${times === undefined ? '' : ' and later'}\` ${fault.split('/').at(-1) ?? ''}`
}

/** The row of a bug in the README. */
function rowOf({ app, bug, revealedBy }: Variant): string {
  const story = app.bugs[bug]?.story ?? ''
  return `| ${app.name} | \`${bug}\` | ${story} | ${revealedBy.map(hitText).join('<br>')} |`
}

it('lists the bugs of each app in the README', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = readme.split('\n').filter((line) => /^\| (?!app|---)/.test(line))
  expect(rows).toEqual(broken.map(rowOf))
})
