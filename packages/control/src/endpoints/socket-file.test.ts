import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChaos } from '@chaos/core'
import { expect, it, onTestFinished } from 'vitest'
import { discover, openSocket } from '../index.js'

it.skipIf(process.platform === 'win32')('leaves the module loader able to follow the links of packages', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-links-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'node_modules'))
  const load = createRequire(join(folder, 'app.js'))
  /** Links a package as pnpm does, and resolves it. The loader remembers what it has seen, so each time with another name. */
  const resolved = (name: string): string => {
    mkdirSync(join(folder, `real-${name}`))
    writeFileSync(join(folder, `real-${name}`, 'index.js'), '')
    symlinkSync(join(folder, `real-${name}`), join(folder, 'node_modules', name))
    return load.resolve(name)
  }
  const real = (name: string): string => join(folder, `real-${name}`, 'index.js')
  expect(resolved('first')).toBe(real('first'))

  const directory = join(folder, 'sockets')
  const endpoint = await openSocket(createChaos().controller, { directory })
  expect(resolved('opened')).toBe(real('opened'))
  expect(await discover({ directory })).toHaveLength(1)
  expect(resolved('found')).toBe(real('found'))
  await endpoint.close()
  expect(resolved('closed')).toBe(real('closed'))
})
