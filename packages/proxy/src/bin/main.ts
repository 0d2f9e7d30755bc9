import { isChaosError } from '@chaos/core'
import { messageOf, onAbort, printable } from '@chaos/core/authoring'
import { createRequire } from 'node:module'
import { isIP } from 'node:net'
import { startToxiproxy, type Toxiproxy } from '../toxiproxy/index.js'
import { readArguments, type Arguments } from './arguments.js'
import { invalidConfig, readConfig } from './config-file.js'

/** The streams and signals of the command. Tests pass their own. */
export interface Io {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal
}

/** Exit codes of the command: those of `chaos`. */
const EXIT = { ok: 0, internal: 1, usage: 2, refused: 4 } as const

const HELP = `Usage: chaos-proxy [options]

Serves Toxiproxy's HTTP API until it is interrupted. Toxics end with their proxy, unless they have a lease.

Options, with one dash or two:
  --host <host>        where the API listens (localhost)
  --port <port>        its port (8474; 0 takes a free one)
  --config <file>      a JSON list of proxies to begin with, as POST /populate takes it
  --seed <seed>        the seed of all random decisions (a random one)
  --max-lease <time>   the longest lease of a toxic, and that of toxics that name none: 30s, 10m, 2h
  --max-toxics <n>     the most toxics in force at a time (no limit)
  --proxy-metrics      show the bytes of each proxy at GET /metrics
  --runtime-metrics    show memory and time of the process at GET /metrics
  --version            print the version
  -h, --help           print this help`

/**
 * Runs the `chaos-proxy` command until it is interrupted. Errors are printed, not thrown.
 *
 * @param argv The arguments without program and script: `['--port', '0']`.
 * @returns The exit code.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    const args = readArguments(argv)
    if (args.help) io.out(HELP)
    else if (args.version) io.out(version())
    else await serve(args, io)
    return EXIT.ok
  } catch (error) {
    io.err(`error: ${messageOf(error)}${isChaosError(error) ? ` (${error.code})` : ''}`)
    if (isChaosError(error, 'CHAOS_DISABLED') || isChaosError(error, 'CHAOS_ENVIRONMENT_REFUSED')) return EXIT.refused
    io.err('next: see `chaos-proxy --help`')
    return isChaosError(error, 'CHAOS_INVALID_OPTION') || isChaosError(error, 'CHAOS_LISTEN_FAILED')
      ? EXIT.usage
      : EXIT.internal
  }
}

async function serve({ config, help: _help, version: _version, ...options }: Arguments, io: Io): Promise<void> {
  const proxies = config === undefined ? [] : await readConfig(config)
  const server = await startToxiproxy({ ...options, proxies }).catch((error: unknown) => {
    throw config === undefined || isChaosError(error) ? error : invalidConfig(config, error)
  })
  warnOfHost(server, io)
  io.out(`Toxiproxy's API listens on ${server.url} (seed ${printable(server.seed)}). Interrupt to stop.`)
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve()
    else onAbort(io.signal, resolve)
  })
  await server.close()
  io.out('Stopped.')
}

/** The API has no password. */
function warnOfHost({ host }: Toxiproxy, io: Io): void {
  const isLoopback = host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  if (!isLoopback)
    io.err(
      `warning: The API listens on ${host} and has no password. Whoever reaches it can open ports and connections on this machine.`,
    )
}

const version = (): string =>
  (createRequire(import.meta.url)('@chaos/proxy/package.json') as { readonly version: string }).version
