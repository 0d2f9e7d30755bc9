// An app in a process of its own, `node app.js <bare | mounted>`, which says where it listens and what CPU time it has used.
import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mountEndpoint } from '@chaos/control'
import { createChaos, target } from '@chaos/core'
import { dropEvents } from '@chaos/eventbus'
import { TOKEN } from './app-process.js'

const server = createServer((_request, response) => {
  response.end('ok')
})
if (process.argv[2] === 'mounted') {
  const chaos = createChaos({ environment: 'test', targets: { bus: target(new EventEmitter(), [dropEvents]) } })
  mountEndpoint(server, chaos, { token: TOKEN })
}
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuMs: (user + system) / 1_000 })
})
