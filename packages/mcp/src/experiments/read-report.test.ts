import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { readReport } from './read-report.js'

let root: string
let outside: string
beforeEach(() => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'chaos-report-')))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  root = join(folder, 'root')
  outside = join(folder, 'outside.json')
  mkdirSync(join(root, 'run'), { recursive: true })
  writeFileSync(outside, '{"version":1,"experiments":[]}')
})

it('is not read if the journal in its folder is a link that leads outside', async () => {
  symlinkSync(outside, join(root, 'run', 'journal.json'))
  await expect(readReport(root, 'run')).rejects.toMatchObject({
    code: 'CHAOS_INVALID_OPTION',
    message: expect.stringContaining('must stay below') as string,
  })
})

it('tells nothing of a file that is no report', async () => {
  writeFileSync(join(root, '.env'), 'PASSWORD=hunter2')
  const failure: unknown = await readReport(root, '.env').catch((error: unknown) => error)
  expect(String(failure)).toContain('it is not JSON')
  expect(String(failure)).not.toMatch(/PASS|hunter/)
})
