// Puts each HTTP client before real outages and before the faults that stand for them, and prints as JSON what its caller
// and its spans saw. In a process of its own, since OpenTelemetry instruments what is loaded after it. With the argument
// `late`, the instrumentation is switched on for the first time while a fault is in force.
const net = require('node:net')
const { setTimeout: pause } = require('node:timers/promises')
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node')
const { context, SpanKind, SpanStatusCode, trace } = require('@opentelemetry/api')
const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { getNodeAutoInstrumentations } = require('@opentelemetry/auto-instrumentations-node')

const isLate = process.argv.includes('late')
/** The timeouts of the clients, a wait that is longer, and a delay that shows in a span, in ms. */
const [TIMEOUT_MS, WAIT_MS, DELAY_MS] = [500, 8_000, 80]
/** The timeouts of the clients where they must not end a call, in ms. */
const PATIENT_MS = 30_000
let timeoutMs = PATIENT_MS

/** Every span that was begun, ended or not. */
const spans = []
const provider = new NodeTracerProvider({
  spanProcessors: [
    {
      onStart: (span) => void spans.push(span),
      onEnd() {},
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    },
  ],
})
provider.register()
const instrumentations = []
function instrument() {
  for (const one of getNodeAutoInstrumentations()) {
    const isUsed = /instrumentation-(http|undici)$/.test(one.instrumentationName)
    if (isUsed) instrumentations.push(one)
    else one.disable()
  }
  registerInstrumentations({ instrumentations })
  // An instrumentation sees a module of Node.js when it is required after it.
  require('node:http')
}

const http = require('node:http')
const { inject } = require('@chaos/core')
const { answerRequests, delayRequests, hangRequests } = require('@chaos/adapter/http')
const { refuseConnections } = require('@chaos/adapter/net')

/** Sends a request whose connection may be idle for the timeout, as users of `node:http` write it. */
const get = (url) =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { timeout: timeoutMs }, (response) => {
      response
        .on('error', reject)
        .on('end', () => resolve(response.statusCode))
        .resume()
    })
    request.on('timeout', () => request.destroy())
    request.on('error', reject).end()
  })

/** Each client: how it gets a URL, and on which side of the connection a fault of requests meets it. */
async function clientsOf() {
  const [axios, undici] = [require('axios'), require('undici')]
  const [{ default: got }, { default: ky }] = await Promise.all([import('got'), import('ky')])
  const retried = { limit: 2, calculateDelay: ({ computedValue }) => (computedValue === 0 ? 0 : 10) }
  return {
    'node:http': { side: 'client', call: get },
    'node:http, fault at the server': { side: 'server', call: get },
    fetch: {
      side: 'client',
      call: async (url) => {
        const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
        await response.text()
        return response.status
      },
    },
    undici: {
      side: 'client',
      call: async (url) => {
        const { statusCode, body } = await undici.request(url, { headersTimeout: timeoutMs })
        await body.text()
        return statusCode
      },
    },
    'undici, RetryAgent': {
      side: 'client',
      call: async (url) => {
        const agent = new undici.Agent()
        const dispatcher = new undici.RetryAgent(agent, { maxRetries: 2, minTimeout: 10, maxTimeout: 10 })
        try {
          const { statusCode, body } = await undici.request(url, { dispatcher, headersTimeout: timeoutMs })
          await body.text()
          return statusCode
        } finally {
          void agent.destroy()
        }
      },
    },
    axios: { side: 'client', call: async (url) => (await axios.get(url, { timeout: timeoutMs })).status },
    got: {
      side: 'client',
      call: async (url) => (await got(url, { timeout: { request: timeoutMs }, retry: retried })).statusCode,
    },
    ky: {
      side: 'client',
      call: async (url) => {
        const retry = { limit: 2, delay: () => 10, afterStatusCodes: [] }
        const response = await ky(url, { timeout: timeoutMs, retry })
        await response.text()
        return response.status
      },
    },
  }
}

const listening = async (server) => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
const urlOf = (server) => `http://127.0.0.1:${server.address().port}/items`
/** A service that answers every request. */
const serve = (statusCode = 200, headers = {}) =>
  listening(http.createServer((_request, response) => void response.writeHead(statusCode, headers).end('body')))
/** A peer that accepts connections and never writes. */
const beMute = () => listening(net.createServer((socket) => void socket.on('error', () => undefined).resume()))
/** A server whose port is free again. */
async function deadUrl() {
  const server = await serve()
  const url = urlOf(server)
  await new Promise((resolve) => server.close(resolve))
  return url
}

const withoutNumbers = (text) => text.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST').replaceAll(/\d+ ?ms/g, 'N ms')

/** Says what a caller gets, without what differs from run to run: `AxiosError ECONNABORTED: timeout of N ms exceeded`. */
const described = (error) => {
  const { constructor, name, code, message } = error
  const names = [constructor.name, name, code].filter((part, index, all) => part && all.indexOf(part) === index)
  return withoutNumbers(`${names.join(' ')}: ${message}`)
}

/** The error and its causes, with what the system says of each. */
const detailsOf = (error) =>
  error instanceof Error
    ? [
        described(error),
        ...['errno', 'syscall', 'address', 'port'].map((key) => (key === 'port' ? typeof error[key] : error[key])),
        ...detailsOf(error.cause),
      ]
    : []

const durationMs = ({ duration: [seconds, nanoseconds] }) => seconds * 1e3 + nanoseconds / 1e6
/** What a reader of traces sees of a span. */
const spanSeen = ({ ended, status, attributes, events }) =>
  withoutNumbers(
    JSON.stringify([
      ended ? 'ended' : 'open',
      status.code === SpanStatusCode.ERROR ? 'failed' : 'ok',
      status.message,
      attributes['http.response.status_code'] ?? attributes['http.status_code'],
      attributes['error.type'] ?? attributes['http.error_name'],
      ...events.map(({ name, attributes: { 'exception.type': type, 'exception.message': message } = {} }) => [
        name,
        type,
        message,
      ]),
    ]),
  )

/** Calls a URL and returns how that ended, the client's spans of it, and how many spans of servers continue them. */
async function measured({ call }, url, atLeastMs) {
  const root = trace.getTracer('seams').startSpan('caller', { root: true })
  let details = []
  const outcome = async () => {
    try {
      return `an answer ${await call(url)}`
    } catch (error) {
      details = detailsOf(error)
      return described(error)
    }
  }
  const calling = trace.setSpan(context.active(), root)
  const seen = await Promise.race([context.with(calling, outcome), pause(WAIT_MS, 'waits')])
  root.end()
  const { traceId } = root.spanContext()
  const ofKind = (kind) => spans.filter((span) => span.kind === kind && span.spanContext().traceId === traceId)
  // A span may end with its connection, after the caller has heard of the error.
  for (let round = 0; round < 20 && ofKind(SpanKind.CLIENT).some(({ ended }) => !ended); round += 1) await pause(10)
  const own = ofKind(SpanKind.CLIENT)
  return {
    seen,
    details,
    spans: own.map(spanSeen),
    failed: own.filter(({ status }) => status.code === SpanStatusCode.ERROR).length,
    isDelayed: own.some((span) => span.ended && durationMs(span) >= atLeastMs - 5),
    served: ofKind(SpanKind.SERVER).length,
  }
}

/** Calls all clients side by side, each at a URL of its own. */
async function sideBySide(clients, urlFor, atLeastMs = TIMEOUT_MS / 2) {
  const entries = await Promise.all(
    Object.entries(clients).map(async ([name, client]) => [
      name,
      await measured(client, await urlFor(name), atLeastMs),
    ]),
  )
  return Object.fromEntries(entries)
}

/** Calls all clients around a fault of requests: those of the client side together, then the one at the server. */
async function atBothSides(clients, fault, act) {
  const sides = { client: {}, server: {} }
  for (const [name, client] of Object.entries(clients)) sides[client.side][name] = client
  const atClients = await act(sides.client, serviceUrl, faultOn([http, globalThis], fault))
  const server = await serve()
  const atServer = await act(sides.server, () => urlOf(server), faultOn([server], fault))
  return { ...atClients, ...atServer }
}

/** A fault that can begin and end on several targets. */
function faultOn(targets, fault) {
  const injections = []
  return {
    begin: async () => {
      for (const target of targets) injections.push(await inject(fault, target))
    },
    end: async () => {
      for (const injection of injections.splice(0).reverse()) await injection.rollback()
    },
  }
}

async function during(clients, urlFor, { begin, end }) {
  await begin()
  try {
    return await sideBySide(clients, urlFor)
  } finally {
    await end()
  }
}

/** A service for each client, so that no connection is open before the call. */
const serviceUrl = async () => urlOf(await serve())

/** The calls of a delay and an instrumentation that begin and end in each order, with the state of both at each. */
async function switched(clients, urlFor, { begin, end }) {
  const urls = {}
  for (const name of Object.keys(clients)) urls[name] = await urlFor()
  const calls = []
  const on = () => {
    if (instrumentations.length === 0) instrument()
    else for (const one of instrumentations) one.enable()
  }
  const off = () => {
    for (const one of instrumentations) one.disable()
  }
  const call = async (isOn, isFaulty) =>
    calls.push({ isOn, isFaulty, seen: await sideBySide(clients, (name) => urls[name], DELAY_MS) })
  await begin()
  on()
  await call(true, true)
  off()
  await call(false, true)
  on()
  await call(true, true)
  await end()
  await call(true, false)
  off()
  await begin()
  on()
  await call(true, true)
  off()
  await end()
  await call(false, false)
  on()
  await call(true, false)
  await begin()
  off()
  await end()
  on()
  await call(true, false)
  return Object.fromEntries(
    Object.keys(clients).map((name) => [
      name,
      calls.map(({ isOn, isFaulty, seen }) => {
        const { spans: made, served, isDelayed } = seen[name]
        return { isOn, isFaulty, spans: made.length, served, isDelayed }
      }),
    ]),
  )
}

/** What faults and instrumentation replace, as it was before both. */
const replaced = [
  [http, 'request'],
  [http, 'get'],
  [http.Server.prototype, 'emit'],
  [http.ClientRequest.prototype, 'onSocket'],
  [http.Agent.prototype, 'addRequest'],
  [net.Socket.prototype, '_writeGeneric'],
  [net.Socket.prototype, 'connect'],
  [globalThis, 'fetch'],
].map(([owner, key]) => ({ owner, key, before: owner[key] }))

/** The members that differ from those at the start, once the instrumentation is off. */
function leftovers() {
  for (const one of instrumentations) one.disable()
  return replaced.filter(({ owner, key, before }) => owner[key] !== before).map(({ key }) => key)
}

async function main() {
  if (!isLate) instrument()
  const clients = await clientsOf()
  const delayed = await atBothSides(clients, delayRequests({ delayMs: DELAY_MS }), switched)
  if (isLate) return { switched: delayed, leftovers: leftovers() }
  timeoutMs = TIMEOUT_MS
  const mute = urlOf(await beMute())
  const dead = await deadUrl()
  const unavailable = urlOf(await serve(503, { 'retry-after': '0' }))
  const outages = {
    mute: await sideBySide(clients, () => mute),
    hung: await atBothSides(clients, hangRequests(), during),
  }
  timeoutMs = PATIENT_MS
  return {
    switched: delayed,
    ...outages,
    dead: await sideBySide(clients, () => dead),
    refused: await during(clients, serviceUrl, faultOn([net], refuseConnections())),
    unavailable: await sideBySide(clients, () => unavailable),
    answered: await atBothSides(clients, answerRequests({ retryAfterMs: 0 }), during),
    leftovers: leftovers(),
  }
}

process.on('unhandledRejection', (error) => {
  process.stderr.write(`${error.stack}\n`, () => process.exit(1))
})
void main().then((seen) => process.stdout.write(JSON.stringify(seen), () => process.exit()))
