// A client that checks, injects, lets the fault hit and stops it, again and again, and says before each what it does.
import { writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from '@chaos/control'

const { address, prefix, hold, leaseMs, hitsMs } = JSON.parse(process.argv[2])
const say = (phase) => writeSync(1, `${phase}\n`)
say('connect')
const client = await connect(address)
client.follow(() => undefined)
for (let turn = 1; ; turn += 1) {
  const id = `${prefix}-${turn}`
  say('check')
  await client.check('bus', 'drop-events', {}, { leaseMs })
  say('inject')
  await client.inject('bus', 'drop-events', {}, { id, leaseMs, hold })
  say('hits')
  await pause(hitsMs)
  say('stop')
  await client.stop(id)
}
