import { ChaosError } from '@chaos/core'
import { messageOf, printable } from '@chaos/core/authoring'
import type { Address, LocalProcess } from '@chaos/control'
import { readTokenFile } from './token-file.js'

/** The options that select a process. */
export interface ProcessFlags {
  readonly url?: string
  readonly tokenFile?: string
  readonly socket?: string
  readonly pid?: string
  readonly name?: string
}

/**
 * Selects the process by URL, by socket, or among the local processes.
 *
 * @throws ChaosError `CHAOS_NO_PROCESS` when no process matches, `CHAOS_SEVERAL_PROCESSES` when several do,
 *   `CHAOS_UNAUTHORIZED` when the token for a URL is missing, `CHAOS_INVALID_OPTION` when options select in two ways
 */
export async function chooseProcess(
  flags: ProcessFlags,
  env: NodeJS.ProcessEnv,
  discover: () => Promise<readonly LocalProcess[]>,
): Promise<Address> {
  const ways = [
    flags.url === undefined ? [] : ['--url'],
    flags.socket === undefined ? [] : ['--socket'],
    flags.pid === undefined && flags.name === undefined ? [] : ['--pid or --name'],
  ].flat()
  if (ways.length > 1)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Several options select the process: ${ways.join(' and ')}. Use only one.`,
    )
  const url =
    flags.url ??
    (flags.socket === undefined && flags.pid === undefined && flags.name === undefined ? env['CHAOS_URL'] : undefined)
  if (url !== undefined) {
    const token = flags.tokenFile === undefined ? env['CHAOS_TOKEN'] : await tokenIn(flags.tokenFile)
    if (token === undefined || token === '')
      throw new ChaosError('CHAOS_UNAUTHORIZED', `The token for ${url} is missing.`)
    return { url, token }
  }
  if (flags.socket !== undefined) return { socketPath: flags.socket }
  const all = await discover()
  const fitting = all.filter(
    ({ pid, name }) =>
      (flags.pid === undefined || String(pid) === flags.pid) && (flags.name === undefined || name === flags.name),
  )
  const [only, ...others] = fitting
  if (only !== undefined && others.length === 0) return { socketPath: only.socketPath }
  const seen = (processes: readonly LocalProcess[]): string =>
    processes
      .map(({ pid, name, socketPath, targets }) =>
        `  ${pid}  ${printable(name)}  ${printable(socketPath)}  ${printable(targets.map((target) => target.name).join(', '))}`.trimEnd(),
      )
      .join('\n')
  if (only === undefined) {
    throw new ChaosError(
      'CHAOS_NO_PROCESS',
      all.length === 0
        ? 'No running process has an open control endpoint.'
        : `No running process matches. Running processes:\n${seen(all)}`,
    )
  }
  throw new ChaosError('CHAOS_SEVERAL_PROCESSES', `Several processes are running:\n${seen(fitting)}`)
}

function tokenIn(file: string): Promise<string> {
  return readTokenFile(file).catch((error: unknown) => {
    throw new ChaosError(
      'CHAOS_UNAUTHORIZED',
      `\`--token-file ${file}\` cannot be read: ${(error as NodeJS.ErrnoException).code ?? messageOf(error)}.`,
      { cause: error },
    )
  })
}
