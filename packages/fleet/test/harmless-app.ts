/**
 * An application that has joined a fleet, for `harmless.test.ts`. It works until its parent disconnects; then nothing but the
 * fleet could keep it alive.
 */
import { createChaos, target } from '@chaos/core'
import { joinFleet, type JoinFleetOptions } from '../src/index.js'
import { silence } from './silence.js'

const [options = '{}'] = process.argv.slice(2)
for (const event of ['uncaughtException', 'unhandledRejection', 'warning'])
  process.on(event, (error: unknown) => console.log(`${event}:`, error))

const speaker = { say: () => 'hello' }
const chaos = createChaos({ environment: 'test', targets: { it: target(speaker, [silence]) } })
const member = joinFleet(chaos, {
  fleet: 'test',
  service: 'shop',
  keys: {},
  idlePollMs: 100,
  log: (line) => console.log(`told: ${line}`),
  ...(JSON.parse(options) as Partial<JoinFleetOptions>),
})
console.log(`id ${member.id}`)

let said = 'hello'
const work = setInterval(() => {
  const says = speaker.say()
  if (says !== said) console.log(says === '' ? 'broken' : 'whole')
  said = says
}, 5)
process.on('message', () => process.send?.({ rssMiB: process.memoryUsage().rss / 1_048_576, cpu: process.cpuUsage() }))
process.on('disconnect', () => clearInterval(work))
console.log('works')
