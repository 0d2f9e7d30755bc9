#!/usr/bin/env node
'use strict'
/**
 * Breaks one component of FlappyJournal: `node osComponentChaos.cjs worker|eventbus|adapter`.
 *
 * As a program it connects to the running dev server, breaks it, follows what happens and exits by cause. As a module it gives
 * `chaosHarness(target)`, which uses the controller of its own process where one is registered, else connects as well.
 *
 * Exit codes: 0 the fault landed, its alert fired and `/healthz` came back; 1 something failed; 2 unknown target or usage;
 * 3 no dev server can be reached; 10 not recovered in time; 11 the server was not well, or its alert was active, before anything was broken;
 * 12 the fault did not land; 13 the alert did not fire.
 */
const { setTimeout: pause } = require('node:timers/promises')
const { ChaosError } = require('@chaos/core')
const { registeredControllers, suggestion } = require('@chaos/core/authoring')
const { connect, discover } = require('@chaos/control')

/** What each target's fault is, and which alert must fire; how long to wait for the alert and for health, in ms. */
const TARGETS = {
  worker: { run: kill, alert: 'WorkerRestarted' },
  eventbus: { run: delay, alert: 'SpiralEventLagHigh' },
  adapter: { run: injectError, alert: 'CircuitBreakerOpen' },
}
const CALM_TIMEOUT_MS = 30_000
const ALERT_TIMEOUT_MS = 45_000
const RECOVERY_TIMEOUT_MS = 120_000
const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  'not-recovered': 10,
  'not-calm': 11,
  'did-not-land': 12,
  'alert-missed': 13,
}

/** Terminates the loop worker once. */
function kill(controller) {
  return controller.inject('worker', 'worker/terminate-worker')
}

/** Holds every bus event back by 1000 ms for `leaseMs`. */
function delay(controller, { leaseMs = 12_000 } = {}) {
  return controller.inject('eventbus', 'eventbus/delay-events', { delayMs: 1000 }, { leaseMs })
}

/** Refuses every call of the storage adapter, fail-fast, for `leaseMs`. */
function injectError(controller, { leaseMs = 12_000 } = {}) {
  return controller.inject('adapter', 'adapter/refuse-calls', { error: 'fail-fast' }, { leaseMs })
}

/**
 * Breaks one component.
 *
 * @param {string} target `worker`, `eventbus` or `adapter`
 * @param {{ controller?: import('@chaos/core').ChaosController, leaseMs?: number }} [options] A controller to use instead of the
 *   process's own or a running dev server's; how long a standing fault stays in force, in ms (default 12,000).
 * @returns {Promise<import('@chaos/core').InjectionState>} The injection: in force (eventbus, adapter) or done (worker).
 * @throws ChaosError `CHAOS_UNKNOWN_TARGET` for any other target, `CHAOS_ENDPOINT_UNREACHABLE` when there is nothing to break
 */
async function chaosHarness(target, options = {}) {
  if (!Object.hasOwn(TARGETS, target)) {
    const known = Object.keys(TARGETS)
    throw new ChaosError(
      'CHAOS_UNKNOWN_TARGET',
      `Expected one of ${known.join(', ')}, got \`${target}\`.${suggestion(String(target), known)}`,
    )
  }
  const controller = options.controller ?? registeredControllers()[0]
  if (controller !== undefined) return TARGETS[target].run(controller, options)
  const client = await connectToDevServer()
  try {
    return await TARGETS[target].run(client, options)
  } finally {
    await client.close()
  }
}

/** Connects to `CHAOS_URL` (with `CHAOS_TOKEN`), else to the dev server found by its socket. */
async function connectToDevServer() {
  const { CHAOS_URL: url, CHAOS_TOKEN: token } = process.env
  if (url !== undefined && token !== undefined) return connect({ url, token })
  const servers = (await discover()).filter(({ name }) => name === 'flappyjournal')
  if (servers.length === 1) return connect({ socketPath: servers[0].socketPath })
  throw new ChaosError(
    'CHAOS_ENDPOINT_UNREACHABLE',
    `Expected one running FlappyJournal dev server, found ${servers.length}. Start one with \`npm run dev\` in apps/flappyjournal, or set CHAOS_URL and CHAOS_TOKEN.`,
  )
}

/** Asks the dev server for JSON; `undefined` while it cannot answer. */
async function ask(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
    return { status: response.status, body: await response.json() }
  } catch {
    return undefined
  }
}

/** Waits until `reading` gives a value, or the time is up. */
async function until(reading, timeoutMs) {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await pause(250)) {
    const value = await reading()
    if (value !== undefined) return value
  }
  return undefined
}

/** Whether the journal is well and an alert inactive. @throws ChaosError `CHAOS_ENDPOINT_UNREACHABLE` where no journal answers */
async function isCalm(url, alert) {
  const [health, alerts] = await Promise.all([ask(`${url}/healthz`), ask(`${url}/alerts`)])
  if (health === undefined || !Array.isArray(alerts?.body?.alerts)) {
    throw new ChaosError(
      'CHAOS_ENDPOINT_UNREACHABLE',
      `Expected the journal and its alerts at ${url}, got no answer. Set FLAPPY_URL to its address.`,
    )
  }
  return health.status === 200 && !alerts.body.alerts.some(({ name }) => name === alert)
}

/** Puts storage and bus to work, which a fault needs to be felt, also in a journal without traffic: its health check does. */
function work(url) {
  return ask(`${url}/healthz`)
}

/** Breaks the running dev server and follows what happens. @returns {Promise<number>} The exit code. */
async function main(target, { log = console.log, url = process.env.FLAPPY_URL ?? 'http://127.0.0.1:3000' } = {}) {
  const client = await connectToDevServer()
  const startedAt = Date.now()
  const say = (text) => log(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`)
  try {
    const { alert } = TARGETS[target]
    const calm = await until(async () => ((await isCalm(url, alert)) ? true : undefined), CALM_TIMEOUT_MS)
    if (!calm) {
      say(`nothing was broken: /healthz is not 200, or ${alert} is active already`)
      return EXIT['not-calm']
    }
    const armed = await chaosHarness(target, { controller: client })
    say(`${armed.fault} is ${armed.status === 'ended' ? 'done' : 'in force'} (${armed.id})`)

    const landed = await until(async () => {
      await work(url)
      return (await stateOf(client, armed.id)).landedAt
    }, 10_000)
    if (landed === undefined) {
      say('the fault did not land: it hit nothing')
      return EXIT['did-not-land']
    }
    say('the fault landed')

    const fired = await until(async () => {
      await work(url)
      const alerts = (await ask(`${url}/alerts`))?.body?.alerts ?? []
      return alerts.find(({ name, state, firedAt }) => name === alert && state === 'firing' && firedAt >= landed)
    }, ALERT_TIMEOUT_MS)
    say(fired === undefined ? `the alert ${alert} did not fire` : `the alert ${alert} fired`)

    const ended = await until(
      async () => ((await stateOf(client, armed.id)).status === 'ended' ? true : undefined),
      RECOVERY_TIMEOUT_MS,
    )
    if (ended) say('the fault has ended')
    const healthy = await until(
      async () => ((await ask(`${url}/healthz`))?.status === 200 ? true : undefined),
      RECOVERY_TIMEOUT_MS,
    )
    say(healthy ? '/healthz answers 200: the system healed by itself' : '/healthz did not come back to 200')

    if (!healthy) return EXIT['not-recovered']
    return fired === undefined ? EXIT['alert-missed'] : EXIT.ok
  } finally {
    await client.close()
  }
}

async function stateOf(controller, id) {
  return (await controller.injections()).find((injection) => injection.id === id) ?? {}
}

module.exports = { chaosHarness, kill, delay, injectError, main, EXIT }

if (require.main === module) {
  const [target, ...rest] = process.argv.slice(2)
  if (!Object.hasOwn(TARGETS, target ?? '') || rest.length > 0) {
    console.error(
      `Expected one target, ${Object.keys(TARGETS).join(', ')}, got \`${[target, ...rest].filter(Boolean).join(' ')}\`.${suggestion(target ?? '', Object.keys(TARGETS))}`,
    )
    process.exitCode = EXIT.usage
  } else {
    main(target).then(
      (code) => {
        process.exitCode = code
      },
      (error) => {
        console.error(error.message)
        process.exitCode = error.code === 'CHAOS_ENDPOINT_UNREACHABLE' ? EXIT.unreachable : EXIT.failed
      },
    )
  }
}
