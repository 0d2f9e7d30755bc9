// Evaluates the app five times and prints what the process holds after each time.
import { EventEmitter } from 'node:events'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { registeredControllers } from '@chaos/core/authoring'

const require = createRequire(import.meta.url)
const evaluations = {
  query: (n) => import(`./app.mjs?t=${n}`),
  cache: async () => {
    delete require.cache[require.resolve('./app.cjs')]
    const app = require('./app.cjs')
    return { ...app, endpoint: await app.opening }
  },
  // As above, and our packages with it: every copy of core, control and eventbus is a new one.
  everything: async () => {
    for (const file of Object.keys(require.cache)) delete require.cache[file]
    const app = require('./app.cjs')
    return { ...app, endpoint: await app.opening }
  },
}

const isBroken = (bus) => Object.getPrototypeOf(bus) !== EventEmitter.prototype

const evaluate = evaluations[process.argv[2]]
const counts = () => ({
  exitListeners: process.listenerCount('exit'),
  sockets: readdirSync(process.env.CHAOS_SOCKET_DIR).filter((file) => file.endsWith('.sock')).length,
  controllers: registeredControllers().length,
})

const first = await evaluate(0)
const before = counts()
const fault = await first.chaos.inject('bus', 'delay-events', { delayMs: 60_000 }, { leaseMs: 300 })
let newest
for (let n = 1; n < 5; n += 1) newest = await evaluate(n)
const broken = [isBroken(first.bus), isBroken(newest.bus)]

// Neither a lease nor a socket keeps a process alive.
const alive = setInterval(() => undefined, 1_000)
const { outcome } = await fault.done
clearInterval(alive)
await new Promise((resolve) => setImmediate(resolve))
console.log(JSON.stringify({ before, broken, outcome, left: isBroken(first.bus), after: counts() }))
await newest.endpoint.close()
