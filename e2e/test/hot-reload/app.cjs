const { EventEmitter } = require('node:events')
const { createChaos, target } = require('@chaos/core')
const { openSocket } = require('@chaos/control')
const { delayEvents } = require('@chaos/eventbus')

exports.bus = new EventEmitter()
exports.chaos = createChaos({ environment: 'test', targets: { bus: target(exports.bus, [delayEvents]) } })
exports.opening = openSocket(exports.chaos, { name: 'app' })
