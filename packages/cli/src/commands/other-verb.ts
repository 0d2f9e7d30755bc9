import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { unknownName } from '@chaos/core/authoring'
import { EXIT } from '../process/exit-codes.js'
import type { Terminal } from '../view/terminal.js'

/**
 * Runs the `chaos-<verb>` program of another package.
 *
 * @param own The verbs of this package, for suggestions in the error message.
 */
export async function otherVerb(
  verb: string,
  args: readonly string[],
  own: readonly string[],
  io: Terminal,
): Promise<number> {
  const folders = [join(process.cwd(), 'node_modules', '.bin'), ...(io.env['PATH'] ?? '').split(delimiter)]
  const program = /^[\w-]+$/.test(verb)
    ? folders.map((folder) => join(folder, `chaos-${verb}`)).find((path) => existsSync(path))
    : undefined
  if (program === undefined) {
    io.err(`error: ${unknownName('command', verb, own)}`)
    io.err('next: see `chaos --help`; other packages can add a verb by a program named `chaos-<verb>`')
    return EXIT.usage
  }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' })
      .on('error', reject)
      .on('exit', (exit) => resolve(exit ?? EXIT.internal))
    // A terminal sends its signals to both processes. A second signal could interrupt the child's reaction to the
    // first.
    const passOn = (): void => {
      if (io.signal.reason === 'SIGTERM') child.kill('SIGTERM')
    }
    io.signal.addEventListener('abort', passOn, { once: true })
  })
}
