import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { NODE_VERSIONS, nodeProgram } from '../src/node-versions.js'
import { packageNamed } from '../src/repository.js'
import { run } from '../src/run.js'

const { dir } = packageNamed('worker')
const programs = new Map(
  await Promise.all(NODE_VERSIONS.map(async (version) => [version, await nodeProgram(version)] as const)),
)
/** The version that runs this has its turn among the package's own tests. */
const others = NODE_VERSIONS.filter((version) => process.version !== `v${version}`)
const isRequired = process.env['CHAOS_REQUIRE_SERVICES'] === 'all'

describe.runIf(process.platform === 'linux').each(others)(
  'the table of worker faults on Node.js %s (Linux only; skipped where npm cannot fetch that version)',
  (version) => {
    it.runIf(programs.get(version) !== undefined || isRequired)(
      'comes out as the docs show it',
      { timeout: 300_000 },
      async () => {
        const program = programs.get(version)
        if (program === undefined) throw new Error(`Expected Node.js ${version} to be there.`)
        const { exitCode, stdout, stderr } = await run(program, [join(dir, 'test/matrix/main.mjs')], {
          cwd: dir,
          timeoutMs: 300_000,
        })
        expect(exitCode, stderr).toBe(0)
        await expect(stdout).toMatchFileSnapshot(join(dir, `test/table/node-${version.split('.')[0] ?? ''}.json`))
      },
    )
  },
)
