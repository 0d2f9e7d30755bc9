#!/usr/bin/env node
import { processIo } from './commands/process-io.js'
import { main } from './main.js'

/** The longest time from the end of the command to that of the process, in ms: a rollback may hang. */
const GRACE_MS = 1_000

void main(process.argv.slice(2), processIo()).then((code) => {
  process.exitCode = code
  process.stdin.destroy()
  setTimeout(() => process.exit(), GRACE_MS).unref()
})
