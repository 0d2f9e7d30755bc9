import { BroadcastChannel, MessageChannel } from 'node:worker_threads'
import { faultTable, type Content } from '../../test/fault-table.js'
import { bindBus } from '../bus.js'
import { portBus } from './event-target.js'

/** An event with a detail; Node.js 18 has no `CustomEvent` of its own. */
class DetailEvent extends Event {
  readonly detail: unknown
  constructor(type: string, { detail }: { readonly detail: unknown }) {
    super(type)
    this.detail = detail
  }
}

faultTable('EventTarget', () => {
  const target = new EventTarget()
  const got: Content[] = []
  target.addEventListener('orders', (event) => got.push((event as DetailEvent).detail as Content))
  return { target, name: 'orders', publish: (content) => target.dispatchEvent(new DetailEvent('orders', { detail: content })), got, touched: [target, EventTarget.prototype] }
})

faultTable('MessagePort', () => {
  const { port1, port2 } = new MessageChannel()
  const got: Content[] = []
  port2.on('message', (content: Content) => got.push(content))
  const [publish, delivery] = [portBus(port1), portBus(port2)]
  return {
    target: bindBus({ kind: 'both ends of a channel', seams: { publish: publish.seams.publish, delivery: delivery.seams.delivery } }),
    name: 'message',
    publish: (content) => port1.postMessage(content),
    got,
    touched: [port1, port2],
    dispose: () => port1.close(),
  }
})

let channels = 0
faultTable('BroadcastChannel', () => {
  const name = `orders-${process.pid}-${(channels += 1)}`
  const [here, there] = [new BroadcastChannel(name), new BroadcastChannel(name)]
  const got: Content[] = []
  there.onmessage = (event) => got.push((event as { data: Content }).data)
  const [publish, delivery] = [portBus(here), portBus(there)]
  return {
    target: bindBus({ kind: 'two ends of a broadcast channel', seams: { publish: publish.seams.publish, delivery: delivery.seams.delivery } }),
    name,
    publish: (content) => here.postMessage(content),
    got,
    touched: [here, there],
    dispose: () => {
      here.close()
      there.close()
    },
  }
})
