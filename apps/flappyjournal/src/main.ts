import { startApp } from './app.js'
import { prepareChaos } from './chaos.js' // This import and the uses of `chaos` below are the only chaos code outside chaos.ts.
import { configFrom } from './config.js'
import { eventBus } from './event-bus.js'

const chaos = await prepareChaos(configFrom(process.env))
const app = await startApp(chaos.config, chaos.wire, { bus: eventBus() })
console.log(
  JSON.stringify({
    event: 'listening',
    url: app.url,
    alertsUrl: app.alertsUrl,
    storage: app.storageBackend.backend,
    pid: process.pid,
  }),
)

let closing: Promise<void> | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    closing ??= app
      .close()
      .then(chaos.close)
      .then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error)
          process.exit(1)
        },
      )
  })
}
