import { EventEmitter } from 'node:events'
import Emittery from 'emittery'
import EventEmitter3 from 'eventemitter3'
import mitt from 'mitt'
import { faultTable, type Content } from '../../test/fault-table.js'

faultTable('EventEmitter', () => {
  const bus = new EventEmitter()
  const got: Content[] = []
  bus.on('orders', (content: Content) => got.push(content))
  return { target: bus, name: 'orders', publish: (content) => bus.emit('orders', content), got, touched: [bus, EventEmitter.prototype] }
})

faultTable('eventemitter3', () => {
  const bus = new EventEmitter3()
  const got: Content[] = []
  bus.on('orders', (content: Content) => got.push(content))
  return { target: bus, name: 'orders', publish: (content) => bus.emit('orders', content), got, touched: [bus, EventEmitter3.prototype] }
})

faultTable('mitt', () => {
  const bus = mitt<{ orders: Content }>()
  const got: Content[] = []
  bus.on('orders', (content) => void got.push(content))
  return { target: bus, name: 'orders', publish: (content) => bus.emit('orders', content), got, touched: [bus] }
})

faultTable('emittery', () => {
  const bus = new Emittery<{ orders: Content }>()
  const got: Content[] = []
  bus.on('orders', (content) => void got.push(content))
  return { target: bus, name: 'orders', publish: (content) => bus.emit('orders', content), got, touched: [bus, Emittery.prototype] }
})
