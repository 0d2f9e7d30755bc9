import { createChaos, target } from '@chaos/core'
import { dropEvents } from '@chaos/eventbus'
import type { AgentTransport, InstanceRecord } from '@chaos/fleet'
import type * as controller from '@chaos/fleet/controller'
import { EventEmitter } from 'node:events'
import type { Case, Suite } from '../runner/case.js'

const FAULT = 'eventbus/drop-events'

/** Loaded here, so that the processes of other suites do without it. */
const load = (): Promise<typeof controller> => import('@chaos/fleet/controller')

/** Instances as a fleet of pods has them. */
const instances = (count: number): InstanceRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `orders-7d9c5b6f4-${index.toString(36).padStart(5, '0')}:${index}:${(index * 7_919).toString(16).padStart(16, '0')}`,
    service: 'orders',
    environment: 'staging',
    labels: { host: `node-${index % 100}` },
    targets: { bus: [FAULT] },
    sdk: '0.0.0',
    state: 'idle',
  }))

const planOf = (
  { planRun }: Pick<typeof controller, 'planRun'>,
  records: readonly InstanceRecord[],
  share: number,
): controller.Plan =>
  planRun(
    records,
    { target: `bus[service=orders,share=${share}]`, fault: FAULT },
    {
      fleet: 'shop',
      environment: 'staging',
      seed: 'a',
      leaseMs: 5_000,
      quorum: 1,
      caps: {},
      by: 'bench',
      reason: 'a benchmark',
    },
  ).plan

/** The CPU time of one call, of so many a reading. */
const each = (name: string, times: number, prepare: () => Promise<() => unknown>): Case => ({
  name,
  unit: 'µs',
  processes: 2,
  async measure(rounds) {
    const call = await prepare()
    const values: number[] = []
    for (let round = -3; round < rounds; round += 1) {
      const before = process.cpuUsage()
      for (let time = 0; time < times; time += 1) await call()
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) values.push((user + system) / times)
    }
    return { values }
  },
})

const IDLE_POLL_MS = 1_000
/** Beyond the tenth by which polls vary. */
const POLLS_PER_STEP = 20

/** Reads of an agent whose engine answers at once, on a clock that is moved by hand. */
async function polling(): Promise<() => Promise<void>> {
  const [{ manualClock }, { joinFleet }] = await Promise.all([import('@chaos/core/testing'), import('@chaos/fleet')])
  const clock = manualClock()
  let reads = 0
  const transport: AgentTransport = {
    read() {
      reads += 1
      return Promise.resolve({ isPermitted: true, epoch: 1, run: undefined })
    },
    ack: () => Promise.resolve(),
    onWake: () => () => undefined,
    close: () => Promise.resolve(),
  }
  const chaos = createChaos({ environment: 'staging', targets: { bus: target(new EventEmitter(), [dropEvents]) } })
  joinFleet(chaos, {
    transport,
    fleet: 'shop',
    service: 'orders',
    keys: {},
    idlePollMs: IDLE_POLL_MS,
    handleSignals: false,
    clock,
    wallClock: () => clock.now(),
  })
  return async () => {
    const until = reads + POLLS_PER_STEP
    while (reads < until) await clock.advance(IDLE_POLL_MS)
  }
}

const polls: Case = {
  name: 'one poll of an idle agent, without its engine',
  unit: 'µs',
  processes: 2,
  async measure(rounds, isQuick) {
    const measured = await each('', 50, polling).measure(rounds, isQuick)
    return { values: measured.values.map((us) => us / POLLS_PER_STEP) }
  },
}

const verifying = (count: number): Case =>
  each(
    `an agent checks the signature and the text of a plan of ${count.toLocaleString('en')} instances`,
    count > 500 ? 20 : 200,
    async () => {
      const fleet = await load()
      const key = fleet.makeKey('ops')
      const sign = () => fleet.signPlan(planOf(fleet, instances(count), 1), key.privateKey, key.keyId)
      // In turns: a process that is asked about the same plan again has checked it.
      const [one, other] = [sign(), sign()]
      let calls = 0
      return () => fleet.verifyPlan((calls += 1) % 2 === 0 ? one : other, { [key.keyId]: key.publicKey })
    },
  )

const choosing = (count: number): Case =>
  each(`a controller chooses a tenth of ${count.toLocaleString('en')} instances and makes the plan`, 5, async () => {
    const fleet = await load()
    const records = instances(count)
    return () => planOf(fleet, records, 0.1)
  })

export const fleetParts: Suite = {
  name: 'fleet-parts',
  title: 'Parts of a fleet',
  about:
    'What agents and controllers of `@chaos/fleet` do without their engine, in CPU time. What whole fleets cost is in [its own page](fleet/cost.md).',
  cases: [polls, ...[10, 200, 2_000, 10_000].map(verifying), choosing(10_000)],
}
