import { ChaosError } from '@chaos/core'
import type { ControlClient } from '@chaos/control'
import { chooseProcess } from '../arguments/choose-process.js'
import type { CommonFlags } from '../arguments/command-options.js'
import type { Terminal } from '../view/terminal.js'

/** Connects to the selected process, and disconnects afterwards. */
export async function withClient<T>(
  flags: CommonFlags,
  io: Terminal,
  work: (client: ControlClient) => Promise<T>,
): Promise<T> {
  const connecting = chooseProcess(flags, io.env, io.discover).then((address) => io.connect(address))
  // An interrupted command does not wait for a slow process. A client that connects later holds nothing.
  const client = await orInterrupted(io.signal, connecting)
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

/** The user interrupted the command while none of its injections was in force. */
export class Interrupted extends Error {}

/** Waits for something without side effects. @throws Interrupted when the user interrupts first */
export async function orInterrupted<T>(signal: AbortSignal, waitedFor: Promise<T>): Promise<T> {
  // Its later result is ignored.
  waitedFor.catch(() => undefined)
  const over = interrupted(signal).then(() => {
    throw new Interrupted(`interrupted (${String(signal.reason)})`)
  })
  return Promise.race([waitedFor, over])
}

/** Resolves when the user interrupts, at once if that has happened already. */
export function interrupted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

/** Prints one line when the user interrupts, at once if that has happened already. @returns Stops that. */
export function announceInterruption({ signal, err }: Terminal): () => void {
  const say = (): void => err(`interrupted (${String(signal.reason)}): rolling back what is in force`)
  if (signal.aborted) say()
  else signal.addEventListener('abort', say, { once: true })
  return () => signal.removeEventListener('abort', say)
}

/** The error of a command that lost its process. */
export function processGone(what: string): ChaosError {
  return new ChaosError(
    'CHAOS_ENDPOINT_UNREACHABLE',
    `The connection to the process has ended: the process has exited, hangs, or has closed its endpoint. ${what}`,
  )
}
