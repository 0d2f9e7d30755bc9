import { setMaxListeners } from 'node:events'
import type { ChaosController, Clock } from '@chaos/core'
import { withoutSlash } from '../../shared/address.js'
import { prometheusAlerts } from '../../alerts/prometheus.js'
import type { AlertReader } from '../../alerts/reader.js'
import type { WebhookSink } from '../../alerts/webhook-sink.js'
import { probesOf, type Experiment } from '../../model/experiment.js'
import { monitoringOf } from '../../probes/probe-types.js'
import { pause, repeat } from '../../shared/time.js'
import type { AlertFacts } from '../alert-facts.js'
import { alertLog, type AlertLog } from './alert-log.js'
import { appClockLog } from './clock-log.js'
import { curveLog, type CurveLog } from './curve-log.js'
import type { RunEvent } from '../events.js'
import type { Evidence, OwnReading } from '../../evidence/evidence.js'
import type { AlertWatch } from '../../evidence/stop-alerts.js'
import { injectionLog, type InjectionLog } from './injection-log.js'
import { loadLog, type LoadLog } from './load-log.js'
import { monitorLog, type MonitorLog } from './monitor-log.js'

/** The sources of a recorder. */
export interface RecorderOptions {
  readonly controller: ChaosController
  readonly readers: readonly AlertReader[]
  /** Monitoring systems that only probes query. */
  readonly probed: readonly AlertReader[]
  readonly facts: AlertFacts
  readonly sink: Pick<WebhookSink, 'notifications'> | undefined
  readonly clock: Clock
  readonly pollMs: number
  readonly emit: (event: RunEvent) => void
  /** Called after each recorded reading. */
  readonly changed: () => void
}

/** Records the evidence of a run while it runs. */
export interface Recorder {
  readonly curves: readonly CurveLog[]
  readonly guards: readonly CurveLog[]
  readonly alerts: readonly AlertLog[]
  readonly monitors: readonly MonitorLog[]
  readonly injections: InjectionLog
  readonly load: LoadLog | undefined
  readonly own: readonly OwnReading[]
  /** Starts to read every source repeatedly and independently, so that one that hangs does not stop the others. */
  start(): void
  /** Stops reading. @returns When reading stopped, in ms since the epoch. */
  stop(): Promise<number>
  /** The evidence that decides whether alerts end the run. */
  alertWatch(): AlertWatch
  /** The evidence so far. @param from The start of the probe readings, in ms since the epoch. */
  seen(from: number): Seen
}

/** The part of the evidence that the recorder reads repeatedly. */
export type Seen = Pick<
  Evidence,
  | 'injections'
  | 'curves'
  | 'guards'
  | 'alerts'
  | 'alertReadings'
  | 'monitors'
  | 'appClock'
  | 'notifications'
  | 'load'
  | 'own'
>

/** The pause between two readings of clocks and signs of life, in ms. */
const LIFE_POLL_MS = 1_000

/** Creates the recorder of a run. */
export function recorder(
  experiment: Experiment,
  { controller, readers, probed, facts, sink, clock, pollMs, emit, changed }: RecorderOptions,
): Recorder {
  const startedAt = clock.now()
  const curves = experiment.steadyState.probes.map((probe) => curveLog(probe, clock, pollMs))
  const guards = experiment.guardrails.map((probe) => curveLog(probe, clock, pollMs))
  const alerts = readers.map((reader) => alertLog(reader, clock))
  const injections = injectionLog(controller, clock, changed)
  const load = experiment.load === undefined ? undefined : loadLog(experiment.load, clock)
  const monitors = [...readers, ...probed].map((reader) => monitorLog(reader, clock, facts.of(reader.source)))
  const appClock = appClockLog(controller, clock)
  const own: OwnReading[] = []

  const reading = new AbortController()
  // Each source adds one listener, so the default limit does not fit.
  setMaxListeners(0, reading.signal)
  let loops: readonly Promise<void>[] = []
  const often = (work: () => Promise<void>): Promise<void> =>
    repeat(clock, pollMs, reading.signal, async () => {
      await work()
      changed()
    })

  return {
    curves,
    guards,
    alerts,
    monitors,
    injections,
    load,
    own,
    start() {
      const { signal } = reading
      loops = [
        ...[...curves, ...guards].map((log) =>
          often(async () => {
            const sample = await log.read(signal)
            if (sample !== undefined && curves.includes(log))
              emit({ type: 'probe', at: sample.at, probe: log.probe.name, sample })
          }),
        ),
        ...alerts.map((log) =>
          often(async () => {
            for (const alert of await log.read(signal)) emit({ type: 'alert', at: clock.now(), alert })
          }),
        ),
        // Notifications arrive without a reading. This loop also makes waiting phases check for them.
        often(() => injections.refresh(signal)),
        ...(load === undefined ? [] : [often(() => load.read(signal))]),
        ...monitors.map((log) =>
          repeat(clock, LIFE_POLL_MS, signal, async () => {
            await log.read(signal)
            changed()
          }),
        ),
        repeat(clock, LIFE_POLL_MS, signal, () => appClock.read(signal)),
        watchOurselves(clock, pollMs, signal, own),
      ]
    },
    async stop() {
      const at = clock.now()
      reading.abort()
      injections.close()
      await Promise.all(loops)
      return at
    },
    alertWatch: () => ({
      alerts: alerts.flatMap(({ stretches }) => stretches),
      alertReadings: alerts.map((log) => log.readings()),
      monitors: monitors.map((log) => log.monitor()),
    }),
    seen: (from) => ({
      injections: injections.states(),
      curves: curves.map((log) => log.curve(from)),
      guards: guards.map((log) => log.curve(from)),
      alerts: alerts.flatMap(({ stretches }) => stretches.map((stretch) => ({ ...stretch }))),
      alertReadings: alerts.map((log) => log.readings()),
      monitors: monitors.map((log) => log.monitor()),
      appClock: appClock.readings,
      notifications: sink?.notifications.filter(({ at }) => at >= startedAt),
      load:
        load === undefined ? undefined : { readings: load.readings.filter(({ at }) => at >= from), final: load.final },
      own,
    }),
  }
}

/** Readers for the monitoring systems that probes query but no alert reader reads, without duplicates. */
export function probedMonitors(experiment: Experiment, readers: readonly AlertReader[]): readonly AlertReader[] {
  const known = new Set(readers.map(({ source }) => withoutSlash(source)))
  const asked = new Set(probesOf(experiment).flatMap(({ probe }) => monitoringOf(probe) ?? []))
  return [...asked].filter((url) => !known.has(url)).map((url) => prometheusAlerts({ url }))
}

/** Records how late the timers of this process are. */
async function watchOurselves(clock: Clock, everyMs: number, signal: AbortSignal, own: OwnReading[]): Promise<void> {
  while (!signal.aborted) {
    const dueAt = clock.now() + everyMs
    await pause(clock, everyMs, signal)
    const at = clock.now()
    own.push({ at, lateMs: Math.max(0, at - dueAt) })
  }
}
