// Preloaded: moves the wall clock of this process, and of its threads, by CLOCK_OFFSET_MS and by what the file CLOCK_FILE says while the process
// runs, as a machine whose clock is wrong would have it. Monotonic clocks are right on such a machine, and are left alone.
const { readFileSync } = require('node:fs')
const http = require('node:http')

const RealDate = Date
const timeOrigin = performance.timeOrigin
let offset = Number(process.env.CLOCK_OFFSET_MS ?? 0)
const now = () => RealDate.now() + offset

globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(now())
    else super(...parts)
  }
  static now() {
    return now()
  }
}
Object.defineProperty(performance, 'timeOrigin', { configurable: true, get: () => timeOrigin + offset })

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
      offset = Number(readFileSync(file, 'utf8'))
    } catch {
      // It has not jumped yet.
    }
  }, 50).unref()
}
