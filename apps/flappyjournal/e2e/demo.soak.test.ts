import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT_CODES, type ResultJournal } from '@chaos/experiment'
import { expect, it } from 'vitest'
import { folder, runScript } from './helpers.js'

it('the demo exits as its worst verdict says, and leaves what is not its own', async () => {
  const reports = await folder()
  const mine = join(reports, 'mine.txt')
  await writeFile(mine, 'not a report')
  const { code, out } = await runScript(['dist/demo.js', '--only', 'worker', '--report', reports], {
    SUPERVISOR_RESTART: 'off',
  })
  const { experiments } = JSON.parse(await readFile(join(reports, 'journal.json'), 'utf8')) as ResultJournal
  expect(experiments[0]?.verdict.name, out).toBe('weakness-found')
  expect(code).toBe(EXIT_CODES['weakness-found'])
  expect(await readFile(mine, 'utf8')).toBe('not a report')
})
