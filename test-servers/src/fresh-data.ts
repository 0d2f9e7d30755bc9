import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { required, run } from './programs.js'

const CACHE = fileURLToPath(new URL('../node_modules/.cache/fresh-data/', import.meta.url))

/** Another number whenever data is made in another way: what was made before is then left alone. */
const FORM = 2

/**
 * Puts the data of a fresh database where a server finds it. It is made once, which takes a second of CPU, and copied from then on.
 * Another version of the program makes it anew.
 *
 * @param program What `make` makes it with.
 */
export function freshData(program: string, data: string, make: () => void): void {
  const kept = join(CACHE, `${program}-${FORM}-${statSync(required(program)).mtimeMs}-${String(process.getuid?.())}`)
  if (existsSync(kept)) copied(kept, data)
  else {
    make()
    keep(data, kept)
  }
}

function keep(data: string, kept: string): void {
  mkdirSync(CACHE, { recursive: true })
  const own = `${kept}-${process.pid}`
  copied(data, own)
  try {
    renameSync(own, kept)
  } catch {
    // Another process has kept its own meanwhile.
    rmSync(own, { recursive: true, force: true })
  }
}

/** With owners and modes, which servers insist on. */
const copied = (from: string, to: string): void => run('cp', ['-Rp', from, to])
