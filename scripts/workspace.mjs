// The packages of the repository, as pnpm-workspace.yaml names them.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

const [, listed = ''] =
  /^packages:\n((?: +- .+\n)+)/m.exec(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')) ?? []

/** Their folders, relative to the root. */
export const folders = [...listed.matchAll(/- (.+)$/gm)]
  .flatMap(([, pattern]) =>
    pattern.endsWith('/*')
      ? readdirSync(join(root, pattern.slice(0, -2))).map((name) => join(pattern, '..', name))
      : [pattern],
  )
  .filter((folder) => existsSync(join(root, folder, 'package.json')))

/** The scripts of the package in a folder. */
export function scriptsOf(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).scripts ?? {}
}
