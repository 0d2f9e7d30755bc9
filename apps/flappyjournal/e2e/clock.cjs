// Shifts the wall clock of a process and of its worker threads by FLAPPY_CLOCK_MS, for tests: NODE_OPTIONS="--require …/clock.cjs". Timers and
// performance.now() stay as they are, as on a machine whose clock is wrong. Not meant for the process that judges.
'use strict'

const shiftMs = Number(process.env.FLAPPY_CLOCK_MS ?? 0)
if (!Number.isFinite(shiftMs)) throw new TypeError(`Expected FLAPPY_CLOCK_MS to be a number of ms, got \`${process.env.FLAPPY_CLOCK_MS}\`.`)

if (shiftMs !== 0) {
  const RealDate = Date
  const realNow = RealDate.now.bind(RealDate)
  const now = () => realNow() + shiftMs
  // The methods that give a date without being asked for one: now(), new Date() and Date().
  RealDate.now = now
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
    apply: () => new RealDate(now()).toString(),
  })
  RealDate.prototype.constructor = globalThis.Date
  const { timeOrigin } = performance
  Object.defineProperty(performance, 'timeOrigin', { configurable: true, enumerable: true, get: () => timeOrigin + shiftMs })
}
