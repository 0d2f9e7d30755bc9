/** Code that gives the timers of the thread it is evaluated in: those of Node.js, where it gives them without `require` (20.16, 22.3), else the globals. */
export const TIMERS = "(process.getBuiltinModule?.('node:timers') ?? globalThis)"
