import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as mcp from './index.js'
import { TOOLS } from './tools/tools.js'

it('exports these names and no others', () => {
  expect(Object.keys(mcp).sort()).toEqual(['EXIT', 'main'])
})

it('documents every tool', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  for (const { name } of TOOLS) expect(readme, name).toMatch(new RegExp(`^\\| .*\`${name}\``, 'm'))
})
