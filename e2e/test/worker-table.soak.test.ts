import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { NODE_VERSIONS, nodeProgram } from '../src/node-versions.js'
import { packageNamed } from '../src/repository.js'
import { run } from '../src/run.js'

type Table = Readonly<Record<string, Readonly<Record<string, string>> | string>>

const { dir } = packageNamed('worker')
const isQuick = process.env['CHAOS_SOAK'] === 'quick'
const versions = isQuick ? NODE_VERSIONS.filter((version) => process.version === `v${version}`) : NODE_VERSIONS
const programs = new Map(
  await Promise.all(versions.map(async (version) => [version, await nodeProgram(version)] as const)),
)
const isRequired = process.env['CHAOS_REQUIRE_SERVICES'] === 'all'
/** The kinds that the quick form tries: a thread, and a process. */
const QUICK_KINDS = ['a Worker', 'a child process']

describe.runIf(process.platform === 'linux').each(versions)(
  'the table of worker faults on Node.js %s (Linux only: it reads /proc; skipped where npm cannot fetch that version)',
  (version) => {
    it.runIf(programs.get(version) !== undefined || isRequired)('comes out as the docs show it', async () => {
      const program = programs.get(version)
      if (program === undefined) throw new Error(`Expected Node.js ${version} to be there.`)
      const recorded = join(dir, `test/table/node-${version.split('.')[0] ?? ''}.json`)
      const args = [join(dir, 'test/matrix/main.mjs'), ...(isQuick ? QUICK_KINDS : [])]
      const { exitCode, stdout, stderr } = await run(program, args, { cwd: dir, timeoutMs: 600_000 })
      expect(exitCode, stderr).toBe(0)
      if (isQuick) expect(JSON.parse(stdout)).toEqual(ofKinds(JSON.parse(readFileSync(recorded, 'utf8')) as Table))
      else await expect(stdout).toMatchFileSnapshot(recorded)
    })
  },
)

/** The columns of a table that the quick form tries. */
function ofKinds(table: Table): Table {
  return Object.fromEntries(
    Object.entries(table).map(([fault, row]) => [
      fault,
      typeof row === 'string'
        ? row
        : Object.fromEntries(Object.entries(row).filter(([kind]) => QUICK_KINDS.includes(kind))),
    ]),
  )
}
