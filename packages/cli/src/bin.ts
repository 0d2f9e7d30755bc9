#!/usr/bin/env node
import { EXIT } from './process/exit-codes.js'
import { processIo } from './process/process-io.js'
import { main } from './main.js'

let hasEnded = false
// Node.js ends when there is nothing left to wait for, also where a promise of a module never settles; and a module may end it.
process.on('exit', (code) => {
  if (hasEnded || code !== EXIT.ok) return
  process.exitCode = EXIT.internal
  process.stderr.write(
    'error: The command ended before it finished: a module of an experiment ended the process, or waits for a promise that never settles.\n',
  )
})

void main(process.argv.slice(2), processIo()).then((code) => {
  hasEnded = true
  // What failed beside the command has set one already.
  process.exitCode ??= code
})
