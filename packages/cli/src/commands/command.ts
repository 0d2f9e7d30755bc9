import { ChaosError } from '@chaos/core'
import type { ControlClient } from '@chaos/control'
import { chooseProcess } from '../arguments/choose-process.js'
import type { CommonFlags } from '../arguments/command-options.js'
import type { Terminal } from '../view/terminal.js'

/** Runs work with a client of the selected process, and disconnects afterwards. */
export async function withClient<T>(
  flags: CommonFlags,
  io: Terminal,
  work: (client: ControlClient) => Promise<T>,
): Promise<T> {
  const connecting = chooseProcess(flags, io.env, io.discover).then((address) => io.connect(address))
  // An interrupted command does not wait for a slow process. A client that connects later holds no injections.
  const client = await orInterrupted(io.signal, connecting)
  try {
    return await work(client)
  } finally {
    await client.close()
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
