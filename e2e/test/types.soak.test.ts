import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { packages, root } from '../src/repository.js'
import { run } from '../src/run.js'

const tarballs = inject('tarballs')
const attw = join(root, 'node_modules', '.bin', 'attw')

it.each(packages.map(({ id }) => id))(
  '%s, packed, has types that are not wrong, under every way to resolve them',
  async (id) => {
    const { exitCode, stdout, stderr } = await run(attw, [tarballs[id]?.path ?? '', '--no-color', '--no-emoji'], {
      cwd: root,
    })
    expect(exitCode, stdout + stderr).toBe(0)
  },
)
