import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blocksOf } from './page-examples.js'
import { root } from './repository.js'

/** The page whose shop is run here. */
export const FLEET_PAGE = 'docs/fleet/README.md'

/** The folder that the page has its reader make. */
export interface ShopFolder {
  readonly path: string
  /** A text of the page, with the ports of this shop. */
  readonly here: (text: string) => string
  readonly write: (name: string, text: string) => void
  readonly remove: () => void
}

/**
 * Makes the folder of the shop: the files of the page, and the packages that it installs.
 *
 * @param ports What the page calls a port, and the port here.
 */
export function shopFolder(ports: ReadonlyMap<string, number>): ShopFolder {
  const path = mkdtempSync(join(tmpdir(), 'chaos-fleet-page-'))
  const here = (text: string): string =>
    text.replace(/(?<=127\.0\.0\.1:)\d+|(?<=orders\.mjs )\d+/g, (port) => String(ports.get(port) ?? port))
  const write = (name: string, text: string): void => writeFileSync(join(path, name), text)
  for (const { file, code } of blocksOf(FLEET_PAGE)) if (file !== undefined) write(file, here(code))
  write('package.json', JSON.stringify({ devDependencies: { '@chaos/fleet': '*' } }))
  mkdirSync(join(path, 'node_modules'))
  for (const name of ['@chaos', 'ioredis'])
    symlinkSync(join(root, 'e2e', 'node_modules', name), join(path, 'node_modules', name), 'junction')
  return { path, here, write, remove: () => rmSync(path, { recursive: true, force: true }) }
}
