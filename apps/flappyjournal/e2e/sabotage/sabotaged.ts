// The app as main.ts starts it, with the sabotage that SABOTAGE names. No part of the app, nor of its demo.
import { EventEmitter } from 'node:events'
import { registeredControllers } from '@chaos/core/authoring'
import { startApp } from '../../src/app.js'
import { wireChaos } from '../../src/chaos.js'
import { configFrom } from '../../src/config.js'
import { eventBus } from '../../src/event-bus.js'
import { APP_SABOTAGES } from './in-app/index.js'
import { momentsOf, type Moment } from './moments.js'

const sabotages = (process.env['SABOTAGE'] ?? '')
  .split('+')
  .filter((name) => name !== '')
  .map((name) => {
    const sabotage = APP_SABOTAGES[name]
    if (sabotage === undefined)
      throw new TypeError(`Unknown sabotage "${name}". Known: ${Object.keys(APP_SABOTAGES).join(', ')}.`)
    return sabotage
  })

const source = new EventEmitter()
const moments = momentsOf(source)
/** Tells the sabotage, and whoever started this process. */
function tell(moment: Moment): void {
  if (source.emit(moment) && moment !== 'method') process.send?.({ moment })
}
process.on('message', (moment: Moment) => tell(moment))
process.channel?.unref()
process.once('disconnect', () => process.exit(1))

for (const { before } of sabotages) before?.(moments)
const wiring: typeof wireChaos = (app) =>
  wireChaos(sabotages.reduce((given, sabotage) => sabotage.wiring?.(given) ?? given, app))
const app = await startApp(configFrom(process.env), wiring, { bus: eventBus() })
const [controller] = registeredControllers()
controller?.follow(({ type }) => {
  if (type === 'landed' || type === 'ended') tell(type)
})
for (const { apply } of sabotages) apply?.(app, moments)
console.log(JSON.stringify({ event: 'listening', url: app.url, alertsUrl: app.alertsUrl, pid: process.pid }))

process.once('SIGTERM', () => {
  app.close().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
