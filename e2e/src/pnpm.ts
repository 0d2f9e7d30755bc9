import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { readJson, root } from './repository.js'

/** How to start the pnpm that the root package.json names: the one on the PATH if it is that one, else through npx. */
export function pnpmCommand(): readonly [program: string, ...args: string[]] {
  const { packageManager } = readJson(join(root, 'package.json')) as { readonly packageManager: string }
  const found = spawnSync('pnpm', ['--version'], { cwd: root, encoding: 'utf8' })
  return `pnpm@${(found.stdout as string | null)?.trim() ?? ''}` === packageManager
    ? ['pnpm']
    : ['npx', '-y', '--prefer-offline', packageManager]
}
