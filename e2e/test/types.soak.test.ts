import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { packages, root } from '../src/repository.js'
import { run } from '../src/run.js'

const tarballs = inject('tarballs')
const attw = join(root, 'node_modules', '.bin', 'attw')

it.each(packages.map(({ id }) => id))(
  // Not by `node10`, which knows no `exports` and which TypeScript 6 deprecates.
  '%s, packed, has types that are not wrong, however TypeScript 6 resolves them',
  async (id) => {
    const { exitCode, stdout, stderr } = await run(
      attw,
      [tarballs[id]?.path ?? '', '--no-color', '--no-emoji', '--profile', 'node16'],
      {
        cwd: root,
      },
    )
    expect(exitCode, stdout + stderr).toBe(0)
  },
)
