import { isChaosError, inject } from '@chaos/core'
import { faultContract, manualClock } from '@chaos/core/testing'
import { faults as adapterFaults } from '@chaos/adapter/faults'
import { faults as eventbusFaults } from '@chaos/eventbus/faults'
import { tcpFaults } from '@chaos/proxy/faults'
import { faults as workerFaults } from '@chaos/worker/faults'
import { afterAll, describe, expect, it } from 'vitest'
import { buses, stopEnds } from './buses.js'
import { made, type AnyFactory, type Kind } from './kind.js'
import { FILE, modules, startServers, stopServers } from './modules.js'
import { proxies, stopProxies } from './proxies.js'
import { services } from './services.js'
import { threads } from './threads.js'

/** What a fault needs to act often enough within a case. The others need nothing. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'worker/block-event-loop': { periodMs: 20, duty: 0.1 },
  'worker/block-main-thread': { blockMs: 1, everyMs: 20 },
  'worker/delay-start': { delayMs: 10 },
  'worker/freeze-process': { periodMs: 20 },
  'worker/kill-returning-workers': { lookEveryMs: 20 },
  'worker/stress-cpu': { load: 0.1, periodMs: 20 },
  'worker/stress-memory': { sizeMb: 1, periodMs: 20 },
  'eventbus/delay-events': { delayMs: 10 },
  'eventbus/lag-consumer': { processingMs: 10 },
  'eventbus/throttle-events': { perSecond: 100 },
  'adapter/delay-calls': { delayMs: 10 },
  'adapter/duplicate-writes': { methods: 'set' },
  'adapter/flap-calls': { downMs: 1_000_000, upMs: 1_000_000 },
  'adapter/limit-rate': { calls: 0, perMs: 1_000_000 },
  'adapter/lose-writes': { methods: 'set' },
  'adapter/serve-stale-reads': { methods: 'set' },
  'adapter/time-out-calls': { timeoutMs: 10 },
  'adapter/cut-responses': { how: 'end' },
  'adapter/delay-requests': { delayMs: 10 },
  'adapter/slow-responses': { delayMs: 10 },
  'adapter/delay-connections': { delayMs: 10 },
  'adapter/delay-file-operations': { delayMs: 10, paths: FILE },
  'adapter/fail-file-operations': { paths: FILE, error: 'fs/eacces' },
  'adapter/hang-file-operations': { paths: FILE },
  'adapter/fail-handshakes': { error: 'tls/reset' },
  'proxy/close-connections': { afterBytes: 1, stream: 'both' },
  'proxy/corrupt-data': { byteRate: 1 },
  'proxy/delay-connections': { delayMs: 10 },
  'proxy/delay-data': { delayMs: 10 },
  'proxy/limit-bandwidth': { bytesPerSecond: 100 },
  'proxy/limit-data': { bytes: 0 },
  'proxy/lose-data': { lossRate: 1 },
  'proxy/refuse-connections': { afterMs: 10 },
  'proxy/retransmit-data': { lossRate: 1 },
  'proxy/slice-data': { sizeBytes: 1 },
  'proxy/slow-close': { delayMs: 10 },
}

/** All faults but those of HTTP and UDP proxies, whose suites in the proxy run the contract on several forms of each. */
const factories: readonly AnyFactory[] = [...workerFaults, ...eventbusFaults, ...adapterFaults, ...tcpFaults]

await startServers()
afterAll(stopServers)
afterAll(stopProxies)
afterAll(stopEnds)

/** Whether a fault can act at a seam of a bus. */
function takes({ catalog }: AnyFactory, seam: string): boolean {
  const { seam: taken } = (catalog.info.options['properties'] ?? {}) as { readonly seam?: unknown }
  return JSON.stringify(taken ?? '').includes(`"${seam}"`)
}

/** The options of a fault on a kind of target. */
const optionsOf = (factory: AnyFactory, { seam }: Kind): Readonly<Record<string, unknown>> => ({
  ...OPTIONS[factory.catalog.name],
  ...(seam !== undefined && takes(factory, seam) && { seam }),
})

/** Whether a fault can be in force on a kind of target. A target that it accepts may still lack what the fault acts on, such as acknowledgements. */
async function fits(factory: AnyFactory, of: Kind): Promise<boolean> {
  const { faults, except = [], injector, contract, seam } = of
  const { name, kind, target } = factory.catalog
  if (!(faults !== undefined ? faults.includes(name) : name.startsWith(`${injector}/`))) return false
  if (except.includes(name)) return false
  // Only publishing can be exercised there.
  if (seam !== undefined && name !== 'eventbus/fail-cloning' && !takes(factory, seam)) return false
  const sample = await contract.target()
  try {
    if (!target.accepts(sample)) return false
    const clock = kind === 'standing' ? { clock: manualClock() } : {}
    const injection = await inject(made(factory, optionsOf(factory, of)), sample, { ...clock, rate: 0 })
    await injection.rollback()
    return true
  } catch (error) {
    // A function that gives no worker is no target of faults on workers, which only a call can tell.
    if (isChaosError(error, 'CHAOS_TARGET_MISMATCH') || isChaosError(error, 'CHAOS_NO_LIVE_WORKER')) return false
    throw error
  } finally {
    await contract.dispose?.(sample)
  }
}

// One after another: some faults act on the whole process.
const table: { readonly kind: Kind; readonly fitting: readonly AnyFactory[] }[] = []
for (const kind of [...buses, ...services, ...modules, ...threads, ...proxies]) {
  const fitting: AnyFactory[] = []
  for (const factory of factories) if (await fits(factory, kind)) fitting.push(factory)
  table.push({ kind, fitting })
}

it('runs every fault on some kind of target', () => {
  const run = new Set(table.flatMap(({ fitting }) => fitting.map(({ catalog }) => catalog.name)))
  // A pool of connections needs a server, and its suite in the adapter runs the contract on it.
  expect(factories.map(({ catalog }) => catalog.name).filter((name) => !run.has(name))).toEqual([
    'adapter/exhaust-pool',
  ])
})

it('runs on each kind of target the faults that it takes', () => {
  expect(
    Object.fromEntries(table.map(({ kind, fitting }) => [kind.title, fitting.map(({ catalog }) => catalog.name)])),
  ).toMatchSnapshot()
})

describe.each(table.map(({ kind, fitting }) => ({ title: kind.title, kind, fitting })))(
  '$title',
  ({ kind, fitting }) => {
    describe.each(fitting.map((factory) => ({ name: factory.catalog.name, factory })))('$name', ({ factory }) => {
      const fault = (): ReturnType<typeof made> => made(factory, optionsOf(factory, kind))
      for (const { title, run } of faultContract({ ...kind.contract, fault })) it(title, run)
    })
  },
)
