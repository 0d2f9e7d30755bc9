// A small app with a control socket, and one bus that ticks.
import { EventEmitter } from 'node:events'
import { createChaos, target } from '@chaos/core'
import { defineFault, option } from '@chaos/core/authoring'
import { openSocket } from '@chaos/control'

const dropEvents = defineFault({
  name: 'test/drop-events',
  kind: 'standing',
  summary: 'Loses events.',
  target: { expects: 'an emitter', accepts: (value) => typeof value?.emit === 'function' },
  options: {
    name: option.optional(option.text('A name.')),
    label: option.optional(option.text('A label.'), 'none'),
    waitMs: option.optional(option.durationMs('Not used.')),
  },
  inject(bus, _options, context) {
    const account = context.account('dropped')
    context.patch(
      bus,
      'emit',
      (below) =>
        function emit(...args) {
          if (!context.operation(args[0]).shouldInject(args)) return below.call.apply(this, args)
          account.dropped += 1
          return true
        },
    )
  },
})
const sayOnce = defineFault({
  name: 'test/say-once',
  kind: 'instant',
  summary: 'Says something.',
  target: { expects: 'anything', accepts: () => true },
  inject(_bus, _options, context) {
    if (context.operation('say').shouldInject([])) context.landed({ said: 'once' })
  },
})

const bus = new EventEmitter().on('tick', () => undefined)
setInterval(() => bus.emit('tick'), 5)
const chaos = createChaos({ environment: 'test', targets: { bus: target(bus, [dropEvents, sayOnce]) } })
const endpoint = await openSocket(chaos, { name: 'test-app' })
chaos.follow(({ type }) => type === 'landed' && endpoint.notify('alert', { alert: 'Silence', state: 'firing' }))
console.log('ready')
