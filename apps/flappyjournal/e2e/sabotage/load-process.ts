// The load in a process of its own, so that it can be stopped, slowed or killed by itself.
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { startLoad } from '../../demo/load.js'

const { LOAD_TARGET: url = '', LOAD_SECRET: secret = '', LOAD_PACE_MS: pace } = process.env
const timers = createRequire(import.meta.url)('node:timers/promises') as {
  setTimeout: (...args: unknown[]) => Promise<unknown>
}

const load = await startLoad({ url, secret, ...(pace === undefined ? {} : { paceMs: Number(pace) }) })

/** From now on nothing is sent any more; accounts are served as before. */
process.once('message', () => {
  timers.setTimeout = () => new Promise(() => undefined)
  syncBuiltinESMExports()
})
process.channel?.unref()
process.once('disconnect', () => process.exit(1))
console.log(JSON.stringify({ event: 'listening', url: load.url }))
process.once('SIGTERM', () => process.exit(0))
