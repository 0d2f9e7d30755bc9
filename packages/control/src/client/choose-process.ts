import { ChaosError } from '@chaos/core'
import { messageOf, printable } from '@chaos/core/authoring'
import type { Address } from './address.js'
import { discover, type LocalProcess } from './discover.js'
import { readTokenFile } from './token-file.js'

/** The options of a command that select a process. At most one of `url`, `socket`, and `pid` with `name` may be given. */
export interface ProcessFlags {
  /** The URL of a mounted endpoint. */
  readonly url?: string | undefined
  /** The file with the token of that endpoint. */
  readonly tokenFile?: string | undefined
  /** The path of a control socket. */
  readonly socket?: string | undefined
  /** The process id of a local process, as it was typed. */
  readonly pid?: string | undefined
  /** The name of a local process. */
  readonly name?: string | undefined
}

/**
 * Selects the process that a command is for: by URL, by socket, or among the local processes. A tool with options of these names
 * behaves as `chaos` does.
 *
 * @param flags What was typed.
 * @param env The environment: `CHAOS_URL` is used if no option selects, `CHAOS_TOKEN` if there is no token file.
 * @param find Lists the local processes. Default: {@link discover}.
 * @returns The address, for `connect`.
 * @throws ChaosError `CHAOS_NO_PROCESS` when no process matches, `CHAOS_SEVERAL_PROCESSES` when several do,
 *   `CHAOS_UNAUTHORIZED` when the token for a URL is missing, `CHAOS_INVALID_OPTION` when options select in two ways
 */
export async function chooseProcess(
  flags: ProcessFlags,
  env: NodeJS.ProcessEnv = process.env,
  find: () => Promise<readonly LocalProcess[]> = discover,
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
      throw new ChaosError('CHAOS_UNAUTHORIZED', `The token for ${printable(url)} is missing.`)
    return { url, token }
  }
  if (flags.socket !== undefined) return { socketPath: flags.socket }
  const all = await find()
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
      `\`--token-file ${printable(file)}\` cannot be read: ${(error as NodeJS.ErrnoException).code ?? messageOf(error)}.`,
      { cause: error },
    )
  })
}
