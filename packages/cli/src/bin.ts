#!/usr/bin/env node
import { EXIT } from './process/exit-codes.js'
import { processIo } from './process/process-io.js'
import { main } from './main.js'

let hasEnded = false
// Node.js exits early when a module ends the process, or when a module's promise never settles and nothing else runs.
process.on('exit', (code) => {
  if (hasEnded || code !== EXIT.ok) return
  process.exitCode = EXIT.internal
  process.stderr.write(
    'error: The command ended before it finished. A module of an experiment or of a package ended the process, or waits for a promise that never settles.\n',
  )
})

void main(process.argv.slice(2), processIo()).then((code) => {
  hasEnded = true
  // An uncaught error may have set an exit code already.
  process.exitCode ??= code
})
