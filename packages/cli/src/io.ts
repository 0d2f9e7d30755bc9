import type { Address, ControlClient, LocalProcess } from '@chaos/control'

/** What the command works with; a test passes its own. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Whether output goes to a terminal: decides on colour and on lines that are drawn over. */
  readonly isTerminal: boolean
  readonly env: NodeJS.ProcessEnv
  /** Aborts when the user breaks off. */
  readonly signal: AbortSignal
  readonly discover: () => Promise<readonly LocalProcess[]>
  readonly connect: (address: Address) => Promise<ControlClient>
}

/** The real thing: this process's streams, and its Ctrl-C. The first one breaks off in order; a second one ends the process. */
export function processIo(): Io {
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => abort.abort(signal))
  }
  // A reader that went away (`chaos watch | head`) is the user breaking off.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => abort.abort())
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    isTerminal: process.stdout.isTTY,
    env: process.env,
    signal: abort.signal,
    discover: async () => (await import('@chaos/control')).discover(),
    connect: async (address) => (await import('@chaos/control')).connect(address),
  }
}
