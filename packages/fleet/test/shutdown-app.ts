/** A process of a fleet, for `shutdown.test.ts`. Prints what happens; the arguments say which handlers it has. */
import cluster from 'node:cluster'
import { defineFault } from '@chaos/core/authoring'
import { createChaos, target } from '@chaos/core'
import { systemClock } from '@chaos/core/authoring'
import { onTermination } from '../src/agent/shutdown.js'
import { silenced, type Speaker } from './silence.js'

const silence = defineFault({
  name: 'test/silence',
  kind: 'standing',
  summary: 'Silences a speaker.',
  options: {},
  target: { expects: 'an object', accepts: () => true },
  inject(speaker: Speaker, _options, context) {
    silenced(speaker, context)
    context.defer(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      console.log('undone')
    })
  },
})

const speaker = { say: () => 'hello' }
const chaos = createChaos({ environment: 'test', targets: { speaker: target(speaker, [silence]) } })
const says = (who: string) => (): void => console.log(`${who}: ${speaker.say() === '' ? 'broken' : 'whole'}`)

const wants = new Set(process.argv.slice(2))
if (wants.has('cluster') && cluster.isPrimary) {
  cluster.fork().on('exit', (_code, signal) => {
    console.log(`worker: ${signal}`)
    process.exit()
  })
  // Its worker does the rest.
  await new Promise(() => undefined)
}
if (wants.has('app')) process.on('SIGTERM', says('app'))
for (let i = 0; i < (wants.has('two') ? 2 : 1); i += 1) onTermination(systemClock, () => chaos.stopAll())
if (wants.has('prepended'))
  process.prependOnceListener('SIGTERM', () => {
    says('prepended')()
    setTimeout(() => process.exit(7), 300)
  })
if (wants.has('once')) process.once('SIGTERM', says('once'))
if (wants.has('later')) process.on('SIGTERM', says('later'))
if (wants.has('exits'))
  process.on('SIGTERM', () => {
    says('exits')()
    process.exit(3)
  })
// As the package signal-exit does, which many others use: it ends the process if nobody else listens.
if (wants.has('signal-exit')) {
  const ends = (): void => {
    says('signal-exit')()
    if (process.listenerCount('SIGTERM') > 1) return
    process.off('SIGTERM', ends)
    process.kill(process.pid, 'SIGTERM')
  }
  process.on('SIGTERM', ends)
}
if (wants.has('meanwhile'))
  onTermination(systemClock, () => {
    process.on('SIGTERM', () => {
      says('meanwhile')()
      process.exit(4)
    })
    return Promise.resolve()
  })
if (wants.has('stuck')) onTermination(systemClock, () => new Promise(() => undefined))
await chaos.inject('speaker', 'silence')
says('before')()
setInterval(() => undefined, 60_000)
console.log('ready')
if (cluster.isWorker) process.kill(process.pid, 'SIGTERM')
