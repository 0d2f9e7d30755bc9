/**
 * The load of the demo as a command, for a dev server that runs already: `npm run load`.
 *
 * `FLAPPY_URL` is the address of the server (http://127.0.0.1:3000), `JWT_SECRET` its secret, and `LOAD_PORT` where the report is
 * served (any free port).
 */
import { startLoad } from './load.js'

const { FLAPPY_URL: url = 'http://127.0.0.1:3000', JWT_SECRET: secret = '', LOAD_PORT: port = '0' } = process.env
const load = await startLoad({ url, secret, port: Number(port) })
console.log(`6 users write and read at ${url}. Their report is at ${load.url}. Interrupt to stop.`)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void load.stop().then(() => process.exit(0)))
