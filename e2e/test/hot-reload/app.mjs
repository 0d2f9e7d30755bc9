// An app that wires chaos in as its module is evaluated; a hot reload evaluates it again.
import { EventEmitter } from 'node:events'
import { createChaos, target } from '@chaos/core'
import { openSocket } from '@chaos/control'
import { delayEvents } from '@chaos/eventbus'

export const bus = new EventEmitter()
export const chaos = createChaos({ environment: 'test', targets: { bus: target(bus, [delayEvents]) } })
export const endpoint = await openSocket(chaos, { name: 'app' })
