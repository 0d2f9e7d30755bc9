import { EventEmitter } from 'node:events'
import { faultTable, type Content } from '../../test/fault-table.js'

faultTable('EventEmitter', () => {
  const bus = new EventEmitter()
  const got: Content[] = []
  bus.on('orders', (content: Content) => got.push(content))
  return { target: bus, name: 'orders', publish: (content) => bus.emit('orders', content), got, touched: [bus, EventEmitter.prototype] }
})
