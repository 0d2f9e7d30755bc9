// An app in a process of its own, which says where it listens and what CPU time it has used, and mounts an endpoint when asked.
import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mountEndpoint, type MountedEndpoint } from '@chaos/control'
import { createChaos, target } from '@chaos/core'
import { dropEvents } from '@chaos/eventbus'
import { TOKEN, type AppRequest } from './app-process.js'

const server = createServer((_request, response) => {
  response.end('ok')
})
const chaos = createChaos({ environment: 'test', targets: { bus: target(new EventEmitter(), [dropEvents]) } })
let endpoint: MountedEndpoint | undefined

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('message', (asked: AppRequest) => void answer(asked))

async function answer(asked: AppRequest): Promise<void> {
  if (asked === 'mount') endpoint = mountEndpoint(server, chaos, { token: TOKEN })
  if (asked === 'unmount') await endpoint?.close()
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuMs: (user + system) / 1_000 })
}
