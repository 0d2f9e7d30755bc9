import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { projectOf } from '../../../test/project.js'

const TSC = fileURLToPath(new URL('../../../../../node_modules/typescript-native/bin/tsc', import.meta.url))

it.each(['vitest-lowest', 'vitest', 'vitest-next'])(
  'the types of the fixture and of the matchers fit %s',
  { timeout: 120_000 },
  async (installed) => {
    const { run } = projectOf('vitest-types', 'vitest', installed)
    const { output } = await run(TSC, ['--project', join('.', 'tsconfig.json'), '--pretty', 'false'])
    // Not every version of Vitest has types that pass by themselves.
    const errors = output.split('\n').filter((line) => /^\S+\(\d+,\d+\): error /.test(line))
    expect(errors.filter((line) => /^store|@chaos|'Matchers'/.test(line))).toEqual([])
  },
)
