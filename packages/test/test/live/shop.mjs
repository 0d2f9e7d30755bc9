// A shop as a process of its own: it charges an order, stores it, and tells the mail. It has a control socket.
// Argument: the port, 0 for any.
import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { failAfterCall, hangCalls, refuseCalls } from '@chaos/adapter'
import { openSocket } from '@chaos/control'
import { createChaos, target } from '@chaos/core'
import { dropEvents } from '@chaos/eventbus'

const payments = {
  charges: 0,
  async charge() {
    this.charges += 1
  },
}
const store = {
  orders: 0,
  async save() {
    this.orders += 1
  },
}
const bus = new EventEmitter()
let mails = 0
bus.on('ordered', () => (mails += 1))

async function order() {
  await payments.charge().catch(() => payments.charge())
  await store.save()
  bus.emit('ordered')
}

const answer = (response, status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(body)
const server = createServer((request, response) => {
  if (request.url === '/orders')
    order().then(
      () => answer(response, 201, '{}'),
      () => answer(response, 503, '{}'),
    )
  else if (request.url === '/risky')
    store.save().then(
      () => answer(response, 201, '{}'),
      // A bug: an order that cannot be stored ends the process.
      () => process.exit(1),
    )
  else if (request.url === '/reset') {
    payments.charges = store.orders = mails = 0
    answer(response, 204)
  } else answer(response, 200, JSON.stringify({ charges: payments.charges, orders: store.orders, mails }))
})

const chaos = createChaos({
  environment: 'test',
  targets: {
    payments: target(payments, [refuseCalls, failAfterCall, hangCalls]),
    store: target(store, [refuseCalls]),
    bus: target(bus, [dropEvents]),
  },
})
const { path } = await openSocket(chaos, { name: 'shop' })
server.listen(Number(process.argv[2]), '127.0.0.1', () => {
  process.send({ url: `http://127.0.0.1:${server.address().port}`, path })
})
process.on('disconnect', () => process.exit())
