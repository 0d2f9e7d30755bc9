/** Code for the timers inside a worker: those of Node.js if they are available without `require` (20.16, 22.3 and up), else the globals. */
export const TIMERS = "(process.getBuiltinModule?.('node:timers') ?? globalThis)"
