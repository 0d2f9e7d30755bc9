import type { ExperimentName, Healthy } from '../sabotage.js'
import type { Stage } from '../stage.js'
import { clockAt, clockJumps, jumpWords, named, offsetWords } from './clocks.js'
import { fullDisk } from './machines.js'
import { REAL_RUNS } from './real-monitoring.js'

const EXPERIMENTS: readonly ExperimentName[] = [
  'no-fault',
  'worker',
  'worker-crash-loop',
  'eventbus',
  'adapter',
  'adapter-one-in-five',
]
const OFFSETS_MS = [-3_600_000, -12_000, -5_000, 5_000, 3_600_000]

/** A first run is ended in its middle; the next one is the one that counts. */
const interruptedBefore =
  (signal: NodeJS.Signals) =>
  async (stage: Stage): Promise<void> => {
    const ran = await stage.chaosRun(
      (moment, child) => moment === 'landed' && void setTimeout(() => child.kill(signal), 3_000),
    )
    if (ran.code === 0) throw new Error('Expected the first run to be ended in its middle.')
  }

/** A correct app. */
export const healthyRuns: readonly Healthy[] = [
  ...EXPERIMENTS.map((experiment): Healthy => ({
    name: `plain-${experiment}`,
    title: `Nothing but the experiment ${experiment}`,
    experiment,
    expected: ['pass'],
    isAlone: true,
    hasTrueMarks: true,
  })),
  ...OFFSETS_MS.flatMap((offsetMs) =>
    (['worker', 'eventbus'] as const).map((experiment): Healthy => ({
      name: `clock-${named(offsetWords(offsetMs))}-${experiment}`,
      title: `The app's clock is ${offsetWords(offsetMs)}, ${experiment}`,
      experiment,
      expected: ['pass'],
      isAlone: true,
      hasTrueMarks: true,
      prepare: clockAt(offsetMs),
    })),
  ),
  ...[-30_000, 30_000].map((byMs): Healthy => ({
    name: `clock-jumps-${named(jumpWords(byMs))}`,
    title: `The app's clock jumps ${jumpWords(byMs)} when the worker is killed`,
    experiment: 'worker',
    expected: ['pass', 'inconclusive'],
    isAlone: true,
    ...clockJumps(byMs),
  })),
  {
    name: 'evaluator-clock-behind',
    title: 'The clock of the evaluator is 12 s behind',
    experiment: 'worker',
    expected: ['pass', 'inconclusive'],
    isAlone: true,
    inApp: 'evaluator-clock-behind',
  },
  {
    name: 'machine-saturated',
    title: 'The machine is saturated, no fault',
    experiment: 'no-fault',
    expected: ['pass', 'inconclusive', 'gate-unmet'],
    isAlone: true,
    act: (stage) => stage.hog(8),
  },
  {
    name: 'interrupted-before',
    title: 'An earlier run was interrupted',
    experiment: 'eventbus',
    expected: ['pass'],
    isAlone: true,
    act: interruptedBefore('SIGINT'),
  },
  {
    name: 'killed-before',
    title: 'An earlier run was killed',
    experiment: 'eventbus',
    expected: ['pass', 'refused'],
    isAlone: true,
    act: interruptedBefore('SIGKILL'),
  },
  {
    name: 'followers-cut-healthy',
    title: 'Nobody can follow events once the fault has landed',
    experiment: 'eventbus',
    expected: ['pass', 'inconclusive', 'rollback-failed'],
    async act(stage) {
      const proxy = await stage.betweenControl()
      stage.moments.at('landed', () => proxy.cut('followers'))
    },
  },
  {
    name: 'report-disk-full-healthy',
    title: 'The disk for reports is full',
    experiment: 'worker',
    expected: ['report-not-written', 'refused'],
    prepare: fullDisk,
  },
  ...REAL_RUNS(EXPERIMENTS),
]
