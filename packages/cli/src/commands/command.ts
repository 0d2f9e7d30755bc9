import { ChaosError } from '@chaos/core'
import { listed } from '@chaos/core/authoring'
import type { Address, ControlClient } from '@chaos/control'
import type { CommonFlags } from '../arguments/command-options.js'
import type { Connection } from '../connections/connect-on.js'
import type { Terminal } from '../view/terminal.js'

/**
 * Runs work with what `--on` or the options for a process select, and disconnects afterwards.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if options select in two ways, and the errors of connecting.
 */
export function withController<T>(
  flags: CommonFlags,
  io: Terminal,
  work: (controller: Connection) => Promise<T>,
): Promise<T> {
  const { on } = flags
  if (on === undefined) return withClient(flags, io, work)
  const others = PROCESS_FLAGS.filter(([name]) => flags[name] !== undefined).map(([, flag]) => flag)
  if (others.length > 0)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `\`--on\` and ${listed(others)} exclude each other. \`--on\` connects by a package, the others to one process.`,
    )
  return within(
    io,
    import('../connections/connect-on.js').then(({ connectOn }) => connectOn(on, process.cwd())),
    work,
  )
}

/**
 * Runs work with a client of the selected process, and disconnects afterwards.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `--on` is given, and the errors of selecting and connecting.
 */
export function withClient<T>(
  flags: CommonFlags,
  io: Terminal,
  work: (client: ControlClient) => Promise<T>,
): Promise<T> {
  return withAddress(flags, io, work)
}

/**
 * Runs work with a client of the selected process and its address, and disconnects afterwards.
 *
 * @throws ChaosError as {@link withClient} does.
 */
export async function withAddress<T>(
  flags: CommonFlags,
  io: Terminal,
  work: (client: ControlClient, address: Address) => Promise<T>,
): Promise<T> {
  if (flags.on !== undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      'This command does not take `--on`. What is injected through `--on` ends with the command that injected it, so no other command can list, watch or stop it. `chaos targets`, `faults`, `inject` and `run` take `--on`.',
    )
  let address: Address | undefined
  const connecting = addressOf(flags, io).then((chosen) => io.connect((address = chosen)))
  return within(io, connecting, (client) => work(client, address as Address))
}

async function addressOf(flags: CommonFlags, { env, discover }: Terminal): Promise<Address> {
  const { chooseProcess } = await import('@chaos/control')
  return chooseProcess(flags, env, discover)
}

/** The options that select one process. */
const PROCESS_FLAGS = [
  ['url', '--url'],
  ['tokenFile', '--token-file'],
  ['socket', '--socket'],
  ['pid', '--pid'],
  ['name', '--name'],
] as const satisfies readonly (readonly [keyof CommonFlags, string])[]

/** Runs work with a connection, and disconnects afterwards. An interrupted command does not wait for a slow connection. */
async function within<C extends Connection, T>(
  { signal }: Terminal,
  connecting: Promise<C>,
  work: (connection: C) => Promise<T>,
): Promise<T> {
  const connection = await orInterrupted(signal, connecting).catch((error: unknown) => {
    // A late connection holds no injections, but would keep this process alive.
    connecting.then((late) => late.close()).catch(() => undefined)
    throw error
  })
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

/** Thrown when the user interrupts the command while none of its injections is in force. */
export class Interrupted extends Error {}

/** Waits for a promise without side effects. @throws Interrupted when the user interrupts first */
export async function orInterrupted<T>(signal: AbortSignal, waitedFor: Promise<T>): Promise<T> {
  // A later failure of the promise is ignored.
  waitedFor.catch(() => undefined)
  const over = interrupted(signal).then(() => {
    throw new Interrupted(`interrupted (${String(signal.reason)})`)
  })
  return Promise.race([waitedFor, over])
}

/** Resolves when the user interrupts, or at once if the user already has. */
export function interrupted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

/** Prints one line when the user interrupts, or at once if the user already has. @returns Cancels the announcement. */
export function announceInterruption({ signal, err }: Terminal): () => void {
  const say = (): void => err(`interrupted (${String(signal.reason)}): rolling back what is in force`)
  if (signal.aborted) say()
  else signal.addEventListener('abort', say, { once: true })
  return () => signal.removeEventListener('abort', say)
}

/** Creates the error of a command whose connection ended. */
export function processGone(what: string): ChaosError {
  return new ChaosError(
    'CHAOS_ENDPOINT_UNREACHABLE',
    `The connection to the process ended: the process exited, hangs, or closed its endpoint. ${what}`,
  )
}

/** Creates the error of a connection by `--on` that ended. */
export function connectionGone(): ChaosError {
  return new ChaosError(
    'CHAOS_ENDPOINT_UNREACHABLE',
    'The connection of `--on` ended. What was injected through it ends at the latest with its lease.',
  )
}
