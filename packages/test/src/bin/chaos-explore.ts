#!/usr/bin/env node
import { main } from './main.js'
import { processIo } from './process-io.js'

void main(process.argv.slice(2), processIo()).then((code) => {
  // An uncaught error may have set an exit code already.
  process.exitCode ??= code
})
