import type { Sabotage } from '../sabotage.js'
import type { Stage } from '../stage.js'

const withoutSupervisor = ({ appEnv }: Stage): void => void (appEnv['SUPERVISOR_RESTART'] = 'off')

/** Nothing is known of alerts: only the app's own readings are left. */
const withoutAlerts = (stage: Stage): void => {
  stage.readsAlerts = false
  stage.alter((experiment) => {
    delete experiment['alerts']
  })
}

/** What is broken is not what should be, or the controller says what is not so. */
export const controllers: readonly Sabotage[] = [
  {
    name: 'another-bus',
    title: 'The fault is in force on a bus that nobody uses',
    experiment: 'eventbus',
    expected: ['fault-did-not-land'],
    inApp: 'another-bus-is-broken',
  },
  {
    name: 'another-storage',
    title: 'The fault is in force on a storage that nobody uses',
    experiment: 'adapter',
    expected: ['fault-did-not-land'],
    inApp: 'another-storage-is-broken',
  },
  {
    name: 'another-worker',
    title: 'A worker is killed that is not the loop',
    experiment: 'worker',
    expected: ['alert-failed'],
    cause: /WorkerRestarted/,
    inApp: 'another-worker-is-killed',
  },
  {
    name: 'undone-early',
    title: 'The app stops the fault half a second after it landed',
    experiment: 'eventbus',
    expected: ['alert-failed', 'inconclusive'],
    inApp: 'fault-undone-early',
  },
  {
    name: 'undone-secretly',
    title: 'The app takes the fault back behind its back, while it is said to be in force',
    experiment: 'eventbus',
    expected: ['alert-failed'],
    inApp: 'fault-undone-behind-its-back',
  },
  {
    name: 'state-frozen',
    title: 'The controller says for ever that the fault is in force',
    experiment: 'eventbus',
    expected: ['inconclusive', 'weakness-found', 'rollback-failed'],
    inApp: 'state-frozen-in-force',
  },
  {
    name: 'ended-before',
    title: 'The controller says that the fault landed and ended 30 s earlier, the supervisor is off, no alerts',
    experiment: 'worker',
    expected: ['inconclusive', 'weakness-found'],
    inApp: 'ends-30-s-early-it-says',
    prepare(stage) {
      withoutSupervisor(stage)
      withoutAlerts(stage)
    },
  },
  {
    name: 'landed-ahead',
    title: 'The controller says that the fault landed a minute later, the supervisor is off',
    experiment: 'worker',
    expected: ['inconclusive', 'weakness-found'],
    inApp: 'landed-a-minute-ahead-it-says',
    prepare: withoutSupervisor,
  },
  {
    name: 'nobody-is-told',
    title: 'The controller tells no events, and the supervisor is off',
    experiment: 'worker',
    expected: ['weakness-found', 'inconclusive'],
    inApp: 'nobody-is-told',
    prepare: withoutSupervisor,
  },
  {
    name: 'control-cut',
    title: 'The control endpoint is unreachable once the fault has landed',
    experiment: 'eventbus',
    expected: ['inconclusive', 'rollback-failed'],
    async act(stage) {
      const proxy = await stage.betweenControl()
      stage.moments.at('landed', () => proxy.cut('all'), 500)
    },
  },
  {
    name: 'followers-cut',
    title: 'Nobody can follow events once the fault has landed, and the supervisor is off',
    experiment: 'worker',
    expected: ['weakness-found', 'inconclusive', 'rollback-failed'],
    prepare: withoutSupervisor,
    async act(stage) {
      const proxy = await stage.betweenControl()
      stage.moments.at('landed', () => proxy.cut('followers'))
    },
  },
]
