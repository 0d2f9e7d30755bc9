// Preloaded (NODE_OPTIONS="--require …/clock.cjs"): moves the wall clock of a process and of its threads by CLOCK_OFFSET_MS, and by what the file
// CLOCK_FILE says while the process runs, as a machine whose clock is wrong has it. Monotonic clocks are right on such a machine and stay as they are.
'use strict'
const { readFileSync } = require('node:fs')
const http = require('node:http')

const offsetOf = (text) => {
  if (!Number.isFinite(Number(text)))
    throw new TypeError(`Expected a number of ms to move the clock by, got \`${text}\`.`)
  return Number(text)
}
let offset = offsetOf(process.env.CLOCK_OFFSET_MS ?? 0)

const RealDate = Date
const realNow = RealDate.now.bind(RealDate)
const now = () => realNow() + offset
// What gives a date without being asked for one: now(), new Date() and Date().
RealDate.now = now
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  apply: () => new RealDate(now()).toString(),
})
RealDate.prototype.constructor = globalThis.Date
const { timeOrigin } = performance
Object.defineProperty(performance, 'timeOrigin', {
  configurable: true,
  enumerable: true,
  get: () => timeOrigin + offset,
})

// Node.js makes the `Date` header from its own, true clock.
const { emit } = http.Server.prototype
http.Server.prototype.emit = function (event, ...args) {
  if (event === 'request') args[1].setHeader('date', new Date().toUTCString())
  return emit.call(this, event, ...args)
}

const file = process.env.CLOCK_FILE
if (file !== undefined) {
  setInterval(() => {
    try {
      offset = offsetOf(readFileSync(file, 'utf8'))
    } catch {
      // It has not jumped yet, or is being written.
    }
  }, 50).unref()
}
