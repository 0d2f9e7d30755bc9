import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { suggestion } from '@chaos/core'
import { EXIT } from '../process/exit-codes.js'
import type { Terminal } from '../view/terminal.js'

/**
 * Runs the `chaos-<verb>` program that another package brings.
 *
 * @param own The verbs of this package, for the message where there is no such program.
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
    io.err(`error: Expected one of ${own.join(', ')}, got \`${verb}\`.${suggestion(verb, own)}`)
    io.err('next: see `chaos --help`; a package that adds a verb brings a program `chaos-<verb>`')
    return EXIT.usage
  }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' })
      .on('error', reject)
      .on('exit', (exit) => resolve(exit ?? EXIT.internal))
    // What a terminal sends reaches both by itself, and a second signal might cut short what the first one began.
    const passOn = (): void => {
      if (io.signal.reason === 'SIGTERM') child.kill('SIGTERM')
    }
    io.signal.addEventListener('abort', passOn, { once: true })
  })
}
