import { createInterface } from 'node:readline'
import { printable } from '@chaos/core/authoring'
import type { Io } from './io.js'

/** Signals that end a process: Ctrl-C, `kill`, a closed terminal, Ctrl-Break on Windows. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const

const MAX_LINE = 20_000

/** Connects the command to the streams and signals of this process. */
export function processIo(): Io {
  const abort = new AbortController()
  for (const signal of ENDING_SIGNALS) process.on(signal, () => abort.abort(signal))
  const write = (stream: NodeJS.WriteStream) => (line: string) =>
    void stream.write(`${printable(line, { max: MAX_LINE, lines: true })}\n`)
  return {
    out: write(process.stdout),
    err: write(process.stderr),
    env: process.env,
    isTerminal: process.stdin.isTTY && process.stdout.isTTY,
    ask: (question) => ask(question, abort.signal),
    input: process.stdin,
    output: process.stdout,
    folder: process.cwd(),
    signal: abort.signal,
  }
}

function ask(question: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, output: process.stdout })
    lines.once('close', () => resolve(undefined))
    // On a terminal, readline gets Ctrl-C itself.
    lines.once('SIGINT', () => lines.close())
    signal.addEventListener('abort', () => lines.close(), { once: true })
    lines.question(question, (answer) => {
      resolve(answer)
      lines.close()
    })
  })
}
