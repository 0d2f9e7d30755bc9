import type { Lab } from './lab.js'

/** A way to harm a fleet in the middle of a run, and what is promised then. */
export interface Harm {
  readonly name: string
  /** The promises that it tries, as `docs/fleet/README.md` numbers them. */
  readonly promises: string
  /** How long after the harm every instance that it reaches is whole, in ms. */
  boundMs(leaseMs: number): number
  /** Why the agents revert. */
  readonly whys: RegExp
  /** What is so before the run begins. */
  prepare?(lab: Lab): Promise<unknown>
  /** What is so at the instant of the harm. */
  precede?(lab: Lab): Promise<unknown>
  harm(lab: Lab): unknown
  /** Ends the harm, which must bring nothing back. */
  heal(lab: Lab): unknown
  /** The instances that it reaches. Default: all. */
  reaches?(lab: Lab): readonly string[]
  /** Whether it needs a Redis whose wall clock can be moved. */
  readonly needsClock?: boolean
}

/** An agent of a run reads this often at the latest, in ms: a fifth of the lease, varied by a tenth. */
export const pollMs = (leaseMs: number): number => (leaseMs / 5) * 1.1

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** How far the wall clock of a virtual machine jumps that was suspended, in ms. */
const SUSPENDED_MS = 5_000
/** How often an agent with a run compares its clocks, in ms. */
const CLOCKS_COMPARED_MS = 250

const lease = (leaseMs: number): number => leaseMs
const leaseAndPoll = (leaseMs: number): number => leaseMs + pollMs(leaseMs)
const [byTime, byLoss] = [/^(deadline|run-gone)$/, /^(not-permitted|run-gone|epoch)$/]

const killController = (lab: Lab): Promise<void> => lab.controller.kill()
const replaceController = (lab: Lab): Promise<void> => lab.replaceController()

async function restartEmpty({ engine }: Lab): Promise<void> {
  await engine.kill()
  await engine.restart()
}
const permit = (lab: Lab): Promise<void> => lab.permit()

/** Puts the clock right, and removes what was written by the wrong one. */
async function clockIsRight(lab: Lab): Promise<void> {
  lab.clock?.set(0)
  await lab.engine.witness.flushall()
  await lab.permit()
  await lab.replaceController()
}

/** Moves the wall clocks of the agents: those of each third process stay, the others go by one of two distances. */
async function scatterClocks({ fleet }: Lab, sign: 1 | -1): Promise<void> {
  const distances = [0, -HOUR, DAY]
  await Promise.all(
    fleet.processes.map((one, index) => one.skewWallClock(sign * (distances[index % distances.length] ?? 0))),
  )
}

/** Waits until Redis holds no run any more. */
async function isForgotten({ engine, leaseMs }: Lab): Promise<void> {
  const until = performance.now() + 2 * leaseMs
  while ((await engine.witness.keys('*:run:*')).length > 0) {
    if (performance.now() > until) throw new Error(`Expected Redis to forget a run within ${2 * leaseMs} ms.`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const jump = ({ fleet }: Lab, byMs: number): Promise<unknown> =>
  Promise.all(fleet.processes.map((one) => one.skewWallClock(byMs)))

export const harms: readonly Harm[] = [
  {
    name: 'controller: SIGKILL',
    promises: 'G1',
    boundMs: lease,
    whys: byTime,
    harm: killController,
    heal: replaceController,
  },
  {
    name: 'controller: SIGSTOP',
    promises: 'G1, G3',
    boundMs: lease,
    whys: byTime,
    harm: (lab) => lab.controller.freeze(),
    heal: (lab) => lab.controller.thaw(),
  },
  {
    name: 'controller: cut off',
    promises: 'G1, G3',
    boundMs: lease,
    whys: byTime,
    harm: (lab) => lab.controllerPlace.cut(),
    heal: (lab) => lab.controllerPlace.heal(),
  },
  {
    name: 'half of the agents: cut off',
    promises: 'G2, G3',
    boundMs: lease,
    whys: /^deadline$/,
    harm: (lab) => lab.agentsPlace.cut(),
    heal: (lab) => lab.agentsPlace.heal(),
    reaches: ({ placed }) => placed.flatMap(({ ids }) => ids),
  },
  {
    name: 'Redis: SIGKILL',
    promises: 'G2, G3, G5',
    boundMs: lease,
    whys: /^deadline$/,
    harm: ({ engine }) => engine.kill(),
    async heal(lab) {
      await lab.engine.restart()
      await lab.permit()
    },
  },
  {
    name: 'Redis: SIGSTOP',
    promises: 'G2, G3',
    boundMs: lease,
    whys: /^deadline$/,
    harm: ({ engine }) => engine.freeze(),
    heal: ({ engine }) => engine.thaw(),
  },
  {
    name: 'Redis: FLUSHALL',
    promises: 'G5',
    boundMs: pollMs,
    whys: byLoss,
    harm: ({ engine }) => engine.witness.flushall(),
    heal: permit,
  },
  {
    name: 'Redis: restart without data',
    promises: 'G3, G5',
    boundMs: lease,
    whys: /^(not-permitted|deadline)$/,
    harm: restartEmpty,
    heal: permit,
  },
  {
    name: 'wall clock of Redis: +1 h',
    promises: 'G6',
    boundMs: lease,
    whys: byLoss,
    harm: ({ clock }) => clock?.set(HOUR),
    heal: clockIsRight,
    needsClock: true,
  },
  {
    name: 'wall clock of Redis: -1 h, controller: SIGKILL',
    promises: 'G1, G6',
    boundMs: leaseAndPoll,
    whys: byTime,
    async harm(lab) {
      lab.clock?.set(-HOUR)
      await lab.controller.kill()
    },
    heal: clockIsRight,
    needsClock: true,
  },
  {
    name: 'wall clocks of agents: 0, -1 h, +1 d, controller: SIGKILL',
    promises: 'G1, G6',
    boundMs: lease,
    whys: byTime,
    prepare: (lab) => scatterClocks(lab, 1),
    harm: killController,
    async heal(lab) {
      await scatterClocks(lab, -1)
      await lab.replaceController()
    },
  },
  {
    name: 'wall clocks of agents: jump by 5 s',
    promises: 'G6',
    boundMs: () => CLOCKS_COMPARED_MS,
    whys: /^clock-jump$/,
    harm: (lab) => jump(lab, SUSPENDED_MS),
    heal: (lab) => jump(lab, -SUSPENDED_MS),
  },
  {
    name: 'halt, controller: SIGKILL',
    promises: 'G4',
    boundMs: pollMs,
    whys: /^halted$/,
    precede: killController,
    harm: ({ fleet }) => fleet.operator.halt('enough', 'anybody'),
    async heal(lab) {
      // Whoever would close the run is dead: it holds its instances until its lease has ended.
      await isForgotten(lab)
      await lab.permit()
      await lab.replaceController()
    },
  },
]
