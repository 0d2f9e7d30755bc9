import { readFileSync } from 'node:fs'
import { EXIT_CODES, VERDICTS_WORST_FIRST } from '@chaos/experiment'
import { expect, it } from 'vitest'
import * as cli from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(cli).sort()).toEqual(['EXIT', 'main'])
})

it('documents every exit code, and which verdict is worse', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  for (const code of [...Object.values(cli.EXIT), ...Object.values(EXIT_CODES)])
    expect(readme).toMatch(new RegExp(`\\n\\| ${code} +\\| `))
  expect(readme).toContain(
    VERDICTS_WORST_FIRST.filter((name) => name !== 'pass')
      .map((name) => EXIT_CODES[name])
      .join(', '),
  )
})
