// Puts each client before a broker that has fallen silent, and before a fault of its publications, and prints as JSON what
// its caller and its span saw. In a process of its own, since OpenTelemetry instruments what is loaded after it.
const net = require('node:net')
const { setTimeout: pause } = require('node:timers/promises')
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node')
const { InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base')
const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { getNodeAutoInstrumentations } = require('@opentelemetry/auto-instrumentations-node')

const { trace } = require('@opentelemetry/api')

const exporter = new InMemorySpanExporter()
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
const USED = ['amqplib', 'ioredis', 'kafkajs', 'redis']
const instrumentations = getNodeAutoInstrumentations().filter(({ instrumentationName }) =>
  USED.includes(instrumentationName.replace('@opentelemetry/instrumentation-', '')),
)
registerInstrumentations({ instrumentations })

const { inject } = require('@chaos/core')
const { delayEvents } = require('@chaos/eventbus')
const { bindAmqplib } = require('@chaos/eventbus/amqplib')
const { bindIoredisPubSub } = require('@chaos/eventbus/ioredis')
const { bindKafkajs } = require('@chaos/eventbus/kafkajs')
const { bindMqtt } = require('@chaos/eventbus/mqtt')
const { bindNats } = require('@chaos/eventbus/nats')
const { bindNodeRedisPubSub } = require('@chaos/eventbus/node-redis')
const { bindWebSocket } = require('@chaos/eventbus/ws')
const { connect: connectNats } = require('@nats-io/transport-node')
const amqplib = require('amqplib')
const { Redis } = require('ioredis')
const { Kafka, logLevel } = require('kafkajs')
const mqtt = require('mqtt')
const { createClient } = require('redis')
const { WebSocket, WebSocketServer } = require('ws')

const PORTS = JSON.parse(process.env.BROKER_PORTS)
/** The timeouts of the clients, and their timeouts where they must not end a call, in ms. */
const [TIMEOUT_MS, PATIENT_MS] = [150, 30_000]
const nothing = () => undefined

/** A link to a broker that can fall silent: connections stay open, and bytes arrive nowhere. */
async function linkTo(port) {
  const pairs = []
  let isMute = false
  const server = net.createServer((near) => {
    const far = net.connect(port, '127.0.0.1')
    pairs.push(near, far)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      from.on('data', (data) => !isMute && to.write(data))
      from.on('error', nothing)
      from.on('close', () => to.destroy())
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: server.address().port,
    mute: () => (isMute = true),
    close: () => {
      for (const socket of pairs) socket.destroy()
      server.close()
    },
  }
}

const mqttClient = (qos) => ({
  port: PORTS.mosquitto,
  open: async (port) => {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 })
    client.on('error', nothing)
    return {
      bus: bindMqtt(client),
      publish: () => client.publishAsync('seams', 'body', { qos }),
      close: () => client.endAsync(true),
    }
  },
})

/** One client: how it connects, publishes and binds, and the name of the span of a publication. */
const CLIENTS = {
  'amqplib, channel': {
    port: PORTS.rabbitmq,
    span: /^publish/,
    open: async (port) => {
      const connection = await amqplib.connect(`amqp://127.0.0.1:${port}`)
      connection.on('error', nothing)
      const channel = await connection.createChannel()
      return {
        bus: bindAmqplib({ publisher: channel }),
        publish: () => channel.publish('amq.fanout', '', Buffer.from('body')),
        close: () => connection.close(),
      }
    },
  },
  'amqplib, confirm channel': {
    port: PORTS.rabbitmq,
    span: /^publish/,
    open: async (port) => {
      const connection = await amqplib.connect(`amqp://127.0.0.1:${port}`)
      connection.on('error', nothing)
      const channel = await connection.createConfirmChannel()
      return {
        bus: bindAmqplib({ publisher: channel }),
        publish: () => {
          channel.publish('amq.fanout', '', Buffer.from('body'), {}, nothing)
          return channel.waitForConfirms()
        },
        cut: () => connection.connection.stream.destroy(new Error('cut')),
        close: () => connection.close(),
      }
    },
  },
  'NATS, request': {
    port: PORTS.nats,
    open: async (port, timeout) => {
      const connection = await connectNats({ port, reconnect: false })
      connection.subscribe('seams.request', { callback: (_error, message) => message.respond('') })
      return {
        bus: bindNats(connection),
        publish: () => connection.request('seams.request', '', { timeout }),
        close: () => connection.close(),
      }
    },
  },
  ioredis: {
    port: PORTS.redis,
    span: /^publish$/,
    open: async (port, commandTimeout) => {
      const publisher = new Redis({ port, commandTimeout, retryStrategy: null })
      publisher.on('error', nothing)
      await publisher.ping()
      return {
        bus: bindIoredisPubSub({ publisher }),
        publish: () => publisher.publish('seams', 'body'),
        close: () => publisher.disconnect(),
      }
    },
  },
  'node-redis': {
    port: PORTS.redis,
    span: /publish/i,
    open: async (port, socketTimeout) => {
      const publisher = createClient({ socket: { port, reconnectStrategy: false, socketTimeout } })
      await publisher.on('error', nothing).connect()
      return {
        bus: bindNodeRedisPubSub({ publisher }),
        publish: () => publisher.publish('seams', 'body'),
        close: () => publisher.destroy(),
      }
    },
  },
  kafkajs: {
    port: PORTS.kafka,
    span: /^(send|publish)/,
    open: async (port, requestTimeout) => {
      const producer = new Kafka({
        brokers: [`127.0.0.1:${port}`],
        logLevel: logLevel.NOTHING,
        requestTimeout,
        retry: { retries: 0 },
        // A cluster tells where its brokers are: behind the link.
        socketFactory: ({ onConnect }) => net.connect(port, '127.0.0.1', onConnect),
      }).producer()
      await producer.connect()
      const send = () => producer.send({ topic: 'seams', messages: [{ value: 'body' }] })
      // The first message asks where its topic is.
      await send()
      return { bus: bindKafkajs({ producer }), publish: send, close: () => producer.disconnect() }
    },
  },
  'mqtt.js, QoS 0': mqttClient(0),
  'mqtt.js, QoS 1': mqttClient(1),
  ws: {
    port: 0,
    open: async (port) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`)
      socket.on('error', nothing)
      await new Promise((resolve) => socket.once('open', resolve))
      return {
        bus: bindWebSocket(socket),
        publish: () =>
          new Promise((resolve, reject) => socket.send('body', (error) => (error ? reject(error) : resolve()))),
        close: () => socket.terminate(),
      }
    },
  },
}

const described = (error) =>
  `${error.constructor.name}: ${error.message}${error.code === undefined ? '' : ` (${error.code})`}`

/** What a caller sees of a publication: its end, or that it still waits after several timeouts. */
async function outcomeOf(publication) {
  const outcome = (async () => {
    try {
      // The instrumentation of ioredis makes no span without a parent.
      await trace.getTracer('seams').startActiveSpan('caller', publication)
      return 'succeeds'
    } catch (error) {
      return described(error)
    }
  })()
  return Promise.race([outcome, waits(4 * TIMEOUT_MS)])
}

/** Time counts in moments of this process: on a machine that stalls, its own timers come first and what ends a call later. */
async function waits(withinMs) {
  for (let spentMs = 0; spentMs < withinMs; spentMs += 10) await pause(10)
  return 'waits'
}

const spansOf = ({ span }) =>
  span === undefined ? [] : exporter.getFinishedSpans().filter(({ name }) => span.test(name))
const isFailed = ({ status, events }) => status.code === 2 || events.some(({ name }) => name === 'exception')
const durationMs = ({ duration: [seconds, nanos] }) => seconds * 1_000 + nanos / 1_000_000

/** Runs a publication and returns what its caller and its span saw. */
async function measured(client, opened, publication) {
  const before = new Set(spansOf(client))
  const seen = await outcomeOf(publication)
  if (seen === 'waits') opened.cut?.()
  await pause(20)
  const [span] = spansOf(client).filter((one) => !before.has(one))
  return {
    seen,
    span: client.span === undefined ? 'none' : span === undefined ? 'open' : isFailed(span) ? 'failed' : 'ok',
  }
}

/** Opens a client. Its timeout is short in health too: on a machine that stalls it may need more than one try. */
async function open(client, port, timeoutMs) {
  for (let left = 10; ; left -= 1) {
    try {
      return await client.open(port, timeoutMs)
    } catch (error) {
      if (left === 0) throw error
    }
  }
}

async function under(client, port, timeoutMs, act) {
  const link = await linkTo(port)
  const opened = await open(client, link.port, timeoutMs)
  try {
    return await act(opened, link)
  } finally {
    await Promise.race([Promise.resolve(opened.close()).catch(nothing), pause(100)])
    link.close()
  }
}

async function row(name, client, port) {
  const mute = await under(client, port, TIMEOUT_MS, async (opened, link) => {
    link.mute()
    return measured(client, opened, opened.publish)
  })
  const fault = await under(client, port, TIMEOUT_MS, async (opened) => {
    const injection = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), opened.bus)
    const result = await measured(client, opened, opened.publish)
    await injection.rollback()
    return result
  })
  const late = await under(client, port, PATIENT_MS, async (opened) => {
    const before = new Set(spansOf(client))
    const injection = await inject(delayEvents({ delayMs: 60, seam: 'publish' }), opened.bus)
    await outcomeOf(opened.publish)
    const [span] = spansOf(client).filter((one) => !before.has(one))
    // What was switched off and on meanwhile sees each later publication once.
    for (const one of instrumentations) one.disable()
    for (const one of instrumentations) one.enable()
    await injection.rollback()
    const known = new Set(spansOf(client))
    await outcomeOf(opened.publish)
    return {
      isLate: span !== undefined && durationMs(span) >= 50,
      later: spansOf(client).filter((one) => !known.has(one)).length,
    }
  })
  return { name, mute, fault, ...late }
}

async function main() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  const rows = []
  // Clients of one instrumentation run one after another, since their spans are told apart by time.
  const groups = [
    ['amqplib, channel', 'amqplib, confirm channel'],
    ['ioredis'],
    ['node-redis'],
    ['NATS, request'],
    ['kafkajs'],
    ['mqtt.js, QoS 0'],
    ['mqtt.js, QoS 1'],
    ['ws'],
  ]
  for (const names of groups)
    for (const name of names) {
      const client = CLIENTS[name]
      rows.push(await row(name, client, client.port === 0 ? server.address().port : client.port))
    }
  return rows
}

process.on('unhandledRejection', (error) => {
  process.stderr.write(`${error.stack}\n`, () => process.exit(1))
})
void main().then((rows) => process.stdout.write(JSON.stringify(rows), () => process.exit()))
