// Writes what follows from the tree and from the catalogs of the faults: exports, lists, tables, indexes. `npm run sync` calls it.
// With --check it writes nothing, and says what is out of step.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outputs } from './sync/outputs.mjs'
import { read, root } from './sync/tree.mjs'

const isCheck = process.argv.includes('--check')

try {
  const stale = [...(await outputs())].filter(([path, text]) => !existsSync(join(root, path)) || read(path) !== text)
  if (!isCheck) for (const [path, text] of stale) writeFileSync(join(root, path), text)
  for (const [path] of stale) console.log(isCheck ? `out of step: ${path}` : `wrote ${path}`)
  if (isCheck && stale.length > 0) {
    console.log('Run `npm run sync`.')
    process.exitCode = 1
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
