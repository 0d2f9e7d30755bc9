import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './repository.js'
import { run } from './run.js'

/** The versions of Node.js that published packages run on. The oldest of a line where it is the lower bound. */
export const NODE_VERSIONS: readonly string[] = ['18.20.8', '20.20.2', '22.23.3', '24.21.0', '26.10.0']

/** Where downloaded runtimes are kept between runs. */
const CACHE = join(root, 'node_modules', '.cache', 'chaos-node')

/**
 * The program of a version of Node.js, from npm's platform packages: package `node` itself needs an install script, these do not.
 *
 * @returns `undefined` where it cannot be had.
 */
export async function nodeProgram(version: string): Promise<string | undefined> {
  if (process.version === `v${version}`) return process.execPath
  const folder = join(CACHE, version)
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const program = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true })
    await run(
      'npm',
      [
        'install',
        '--ignore-scripts',
        '--no-save',
        '--no-audit',
        '--no-fund',
        '--prefer-offline',
        '--prefix',
        folder,
        `${name}@${version}`,
      ],
      { cwd: folder, timeoutMs: 240_000 },
    )
  }
  if (!existsSync(program)) return undefined
  // A wrapper that runs another version must not pass for this one.
  const { stdout } = await run(program, ['--version'])
  return stdout.trim() === `v${version}` ? program : undefined
}
