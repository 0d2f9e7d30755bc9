#!/usr/bin/env node
import { main } from './main.js'

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const abort = new AbortController()
for (const signal of ENDING_SIGNALS) process.once(signal, () => abort.abort(signal))
// Whoever started the command may read its first line and then close the pipe. The proxies go on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

void main(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  signal: abort.signal,
}).then((code) => {
  process.exitCode = code
})
