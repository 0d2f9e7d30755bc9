import type { Sabotage } from '../sabotage.js'

const weakness = ['weakness-found'] as const

/** The app is sick. */
export const appSick: readonly Sabotage[] = [
  { name: 'supervisor-off', title: 'The supervisor does not restart the worker', experiment: 'worker', expected: weakness, cause: /recovered/, prepare: ({ appEnv }) => void (appEnv['SUPERVISOR_RESTART'] = 'off') },
  { name: 'fallback-off', title: 'The breaker has no fallback', experiment: 'adapter', expected: weakness, prepare: ({ appEnv }) => void (appEnv['STORAGE_FALLBACK'] = 'off') },

  { name: 'events-twice', title: 'The bus delivers each event that was held twice', experiment: 'eventbus', expected: weakness, cause: /more than once|twice/, inApp: 'held-events-twice' },
  { name: 'events-again-after-release', title: 'The bus delivers everything that was held again, a second after the release', experiment: 'eventbus', expected: weakness, cause: /more than once|twice/, inApp: 'held-events-again-after-release' },
  { name: 'pushes-lost', title: 'Nothing is pushed to WebSocket clients any more', experiment: 'eventbus', expected: weakness, cause: /not delivered|push/, inApp: 'pushes-lost' },
  { name: 'pushes-twice-after-recovery', title: 'Each push comes twice, beginning when the app has recovered', experiment: 'worker', expected: weakness, cause: /more than once|twice/, inApp: 'pushes-twice-after-recovery' },
  { name: 'pushes-in-reverse', title: 'Pushes come in reverse order after the release', experiment: 'eventbus', expected: weakness, cause: /reordered|order/, inApp: 'pushes-in-reverse' },
  { name: 'listeners-refused', title: 'WebSocket clients are cut off and refused', experiment: 'worker', expected: weakness, cause: /not delivered|push/, inApp: 'listeners-refused' },

  { name: 'replay-cuts-content', title: 'The replay cuts the content of entries', experiment: 'adapter', expected: weakness, cause: /damaged|content/, inApp: 'replay-cuts-content' },
  { name: 'replay-drops-tags', title: 'The replay drops the tags of entries', experiment: 'adapter', expected: weakness, cause: /damaged|tags/, inApp: 'replay-drops-tags' },
  { name: 'never-replayed', title: 'What the memory took is never replayed', experiment: 'adapter', expected: weakness, cause: /lost|missing/, inApp: 'never-replayed' },
  { name: 'not-stored', title: 'One write in ten is acknowledged and not stored', experiment: 'no-fault', expected: [...weakness, 'gate-unmet'], cause: /lost|missing|rejected/, inApp: 'one-in-ten-not-stored' },
  { name: 'contents-swapped', title: 'One entry in ten has the content of another', experiment: 'worker', expected: weakness, cause: /damaged|content/, inApp: 'contents-swapped' },
  { name: 'reads-behind', title: 'Reads are ten seconds behind after the recovery', experiment: 'adapter', expected: weakness, cause: /lost|rejected|missing/, inApp: 'reads-ten-seconds-behind' },
  { name: 'breaker-never-opens', title: 'The breaker never opens', experiment: 'adapter', expected: [...weakness, 'alert-failed'], inApp: 'breaker-never-opens' },
  { name: 'breaker-never-closes', title: 'The breaker never closes again', experiment: 'adapter', expected: weakness, cause: /breaker/, inApp: 'breaker-never-closes' },

  { name: 'writes-hang', title: 'Writes hang for good, and the health check says 200', experiment: 'worker', expected: weakness, cause: /under way|stuck|acknowledged/, inApp: 'writes-hang' },
  { name: 'writes-429', title: 'Every write answers 429 once the breaker has opened', experiment: 'adapter', expected: weakness, cause: /rejected|acknowledged/, inApp: 'writes-429-once-open' },
  { name: 'writes-slow', title: 'Writes take six seconds after the recovery, and no metric counts them', experiment: 'worker', expected: weakness, cause: /acknowledged|under way/, inApp: 'writes-slow-uncounted' },
  { name: 'reads-500', title: 'One read in five answers 500 after the recovery, and no metric counts it', experiment: 'worker', expected: weakness, cause: /failed/, inApp: 'reads-500-uncounted' },
  { name: 'reads-empty', title: 'One read in five answers 200 and an empty object', experiment: 'worker', expected: weakness, cause: /damaged/, inApp: 'reads-empty-objects' },
  { name: 'list-empty', title: 'The list of entries is empty for good', experiment: 'worker', expected: weakness, cause: /lost|list/, inApp: 'list-empty' },
  { name: 'list-without-newest', title: 'The list of entries lacks the newest twenty after the recovery', experiment: 'worker', expected: weakness, cause: /lost|list/, inApp: 'list-without-newest' },
  { name: 'renamed-metrics', title: 'The HTTP metrics are renamed, and every write answers 500 after the kill', experiment: 'worker', expected: ['gate-unmet', 'inconclusive', 'weakness-found'], inApp: 'http-metrics-renamed' },
  { name: 'renamed-metrics-at-landing', title: 'The HTTP metrics are renamed at the kill, and every write answers 500 from then on', experiment: 'worker', expected: [...weakness, 'inconclusive'], inApp: 'http-metrics-renamed-at-landing' },
  { name: 'failures-reset', title: 'The counters of requests are reset every second, and every write answers 500 after the kill', experiment: 'worker', expected: [...weakness, 'gate-unmet'], inApp: 'failures-reset-every-second+writes-500-uncounted' },

  { name: 'replacement-idle', title: 'The worker that is brought back does nothing', experiment: 'worker', expected: weakness, inApp: 'replacement-idle' },
  { name: 'replacement-idle-and-hidden', title: 'The worker that is brought back does nothing, and its gauges are invented', experiment: 'worker', expected: [...weakness, 'alert-failed'], inApp: 'replacement-idle+worker-gauges-invented' },
  { name: 'replacement-half-speed', title: 'The worker that is brought back turns at half the rate', experiment: 'worker', expected: weakness, cause: /loop rate/, inApp: 'replacement-half-speed' },
  { name: 'killed-again', title: 'The worker dies again every four seconds', experiment: 'worker', expected: weakness, inApp: 'killed-again-every-4-s' },
  { name: 'gone-after-recovery', title: 'The app ends three seconds after the kill of its worker', experiment: 'worker', expected: [...weakness, 'inconclusive'], inApp: 'stops-serving-after-recovery' },
  {
    name: 'app-restarted', title: 'The app is restarted in mid-run, another process at the same address', experiment: 'eventbus', expected: [...weakness, 'inconclusive', 'rollback-failed'],
    act: (stage) => stage.moments.at('landed', () => stage.restartApp(), 3_000),
  },
  {
    name: 'app-restarted-without-storage', title: 'The app is restarted in mid-run, and kept everything in memory', experiment: 'worker', expected: [...weakness, 'inconclusive'],
    prepare: ({ appEnv }) => void (appEnv['LEVEL_PATH'] = undefined),
    act: (stage) => stage.moments.at('landed', () => stage.restartApp(), 8_000),
  },

  { name: 'health-says-yes', title: 'The supervisor is off, the health check says 200 whatever happens, and the gauges of the worker are invented', experiment: 'worker', expected: [...weakness, 'alert-failed'], inApp: 'health-says-yes+worker-gauges-invented', prepare: ({ appEnv }) => void (appEnv['SUPERVISOR_RESTART'] = 'off') },
  { name: 'health-slow', title: 'The supervisor is off, and the health check says 200 just before its timeout', experiment: 'worker', expected: [...weakness, 'inconclusive', 'gate-unmet'], inApp: 'health-slow-and-yes', prepare: ({ appEnv }) => void (appEnv['SUPERVISOR_RESTART'] = 'off') },
  { name: 'loop-rate-frozen', title: 'The supervisor is off, and the rate of the loop reads as before the kill', experiment: 'worker', expected: weakness, inApp: 'loop-rate-frozen', prepare: ({ appEnv }) => void (appEnv['SUPERVISOR_RESTART'] = 'off') },
]
