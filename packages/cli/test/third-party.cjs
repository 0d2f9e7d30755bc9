// The controller of a third party's package, for on.test.ts: a bus of its own, in the process that connects.
const { EventEmitter } = require('node:events')
const { createChaos, target } = require('@chaos/core')
const { defineFault, option } = require('@chaos/core/authoring')

const dropEvents = defineFault({
  name: 'third/drop-events',
  kind: 'standing',
  summary: 'Loses events.',
  target: { expects: 'an emitter', accepts: (value) => value instanceof EventEmitter },
  options: {
    delayMs: option.optional(option.durationMs('A time.')),
    isLoud: option.optional(option.flag('A switch.')),
    isOff: option.optional(option.flag('A switch.')),
    label: option.optional(option.text('A text.')),
    names: option.optional(option.names('Names.')),
    name: option.optional(option.text('The name of a flag of the command.')),
  },
  inject(bus, _options, context) {
    context.patch(
      bus,
      'emit',
      (below) =>
        function emit(...args) {
          return context.operation(args[0]).shouldInject(args) || below.call.apply(this, args)
        },
    )
  },
})

const say = (text) => process.stderr.write(`third: ${text}\n`)

exports.connect = async (url) => {
  const how = new URL(url).searchParams
  if (how.has('slow')) {
    say('waits')
    const waiting = setInterval(() => undefined, 1_000)
    await new Promise((resolve) => process.once('SIGINT', resolve))
    clearInterval(waiting)
  }
  if (how.has('refuses')) throw new Error(`no route to ${url}`)
  const bus = new EventEmitter().on('tick', () => undefined)
  const ticking = setInterval(() => bus.emit('tick'), 5)
  const { controller } = createChaos({ environment: 'test', targets: { bus: target(bus, [dropEvents]) } })
  let leave
  const closed = new Promise((resolve) => (leave = resolve))
  return {
    info: () => controller.info(),
    targets: () => controller.targets(),
    // Like the controller of many processes, it does not know the options.
    faults: async () => (await controller.faults()).map((fault) => ({ ...fault, options: { type: 'object' } })),
    injections: () => controller.injections(),
    async inject(_target, fault, options, settings) {
      const state = await controller.inject('bus', fault, options, settings)
      say(`injected ${JSON.stringify(options)}`)
      if (how.has('dies')) leave()
      if (how.has('throws'))
        setImmediate(() => {
          throw new Error(`lost ${url}`)
        })
      return state
    },
    check: (_target, ...given) => controller.check('bus', ...given),
    renew: (id, leaseMs) => controller.renew(id, leaseMs),
    stop: (id) => controller.stop(id),
    stopAll: () => controller.stopAll(),
    follow: (listener) => controller.follow(listener),
    closed,
    async close() {
      const { stopped } = await controller.stopAll()
      clearInterval(ticking)
      leave()
      say(`closed, ${stopped.length} in force`)
    },
  }
}
