import { startApp } from './app.js'
import { wireChaos } from './chaos.js' // This import and its use below are the only chaos code outside chaos.ts.
import { configFrom } from './config.js'
import { eventBus } from './event-bus.js'

const app = await startApp(configFrom(process.env), wireChaos, eventBus())
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
    closing ??= app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
}
