import { ChaosError } from '@chaos/core'
import type { ControlClient } from '@chaos/control'
import { chooseProcess } from '../arguments/choose-process.js'
import type { CommonFlags } from '../arguments/command-options.js'
import type { Terminal } from '../view/terminal.js'

/** Connects to the process that is meant, and disconnects afterwards. */
export async function withClient<T>(
  flags: CommonFlags,
  io: Terminal,
  work: (client: ControlClient) => Promise<T>,
): Promise<T> {
  const connecting = chooseProcess(flags, io.env, io.discover).then((address) => io.connect(address))
  // Who breaks off does not wait for a process that answers late; a client that comes all the same holds nothing.
  const client = await orBrokenOff(io.signal, connecting)
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

/** The user broke off while nothing of the command was in force. */
export class BrokenOff extends Error {}

/** Waits for what changes nothing. @throws BrokenOff when the user breaks off first */
export async function orBrokenOff<T>(signal: AbortSignal, waitedFor: Promise<T>): Promise<T> {
  // What comes of it then is of no interest to anybody.
  waitedFor.catch(() => undefined)
  const over = brokenOff(signal).then(() => {
    throw new BrokenOff(`broken off (${String(signal.reason)})`)
  })
  return Promise.race([waitedFor, over])
}

/** Resolves when the user breaks off, at once where that has happened already. */
export function brokenOff(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

/** Says once, when the user breaks off or at once where that has happened already, what is done about it. @returns Says nothing any more. */
export function announceBreakOff({ signal, err }: Terminal): () => void {
  const say = (): void => err(`broken off (${String(signal.reason)}): taking back what is in force`)
  if (signal.aborted) say()
  else signal.addEventListener('abort', say, { once: true })
  return () => signal.removeEventListener('abort', say)
}

/** The error of a command whose process went away while it was followed. */
export function processGone(what: string): ChaosError {
  return new ChaosError(
    'CHAOS_ENDPOINT_UNREACHABLE',
    `The connection to the process has ended: it has exited, stands still, or has closed its endpoint. ${what}`,
  )
}
