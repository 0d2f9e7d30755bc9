export type { AlertReaderType } from './alerts/alert-reader-type.js'
export { ALERT_READERS } from './alerts/alert-readers.js'
export { alertmanagerAlerts, type AlertmanagerAlertsOptions } from './alerts/alertmanager.js'
export { prometheusAlerts, type PrometheusAlertsOptions } from './alerts/prometheus.js'
export type { ActiveAlert, AlertReader, AlertRule, AlertTiming, MonitoringHealth } from './alerts/reader.js'
export { webhookSink, type Notification, type WebhookSink } from './alerts/webhook-sink.js'
export type {
  AlertReadings,
  AlertStretch,
  ClockReading,
  Curve,
  Evidence,
  Mark,
  MarkName,
  Marks,
  Monitor,
  MonitorReading,
  OwnReading,
  Reading,
  RunInjection,
} from './evidence/evidence.js'
export { MARK_WORDS } from './evidence/mark-words.js'
export { LOAD_COUNTS, type LoadCount, type LoadReading, type LoadReport } from './load/report.js'
export { isControlRun } from './model/control-run.js'
export { defineExperiment } from './model/define.js'
export type {
  Action,
  AlertMatcher,
  Experiment,
  ExperimentInput,
  ExpectedAlert,
  InjectStep,
  LoadReader,
  Step,
} from './model/experiment.js'
export { experimentJsonSchema } from './model/json-schema.js'
export { loadExperiment } from './model/load.js'
export { openProbes, type OpenProbe } from './model/open-probes.js'
export { parseExperiment, type ParseOptions } from './model/parse.js'
export type { Variables } from './model/variables.js'
export type { Probe } from './probes/probe-types.js'
export type { ProbeReader, Sample } from './probes/read.js'
export type { Tolerance } from './probes/tolerance.js'
export { toHtml } from './report/html.js'
export { JOURNAL_VERSION, toJournal, type ResultJournal } from './report/journal.js'
export { toJUnit } from './report/junit.js'
export { toText } from './report/text.js'
export { RECOVERY_WORDS, span } from './report/words.js'
export { prepareReports, writeReports, type ReportPaths } from './report/write.js'
export { runExperiment } from './run-experiment.js'
export type { RunEvent, Phase } from './run/events.js'
export { checkExperiment, type RunOptions } from './run/gather-evidence.js'
export { EXIT_CODES, VERDICTS_WORST_FIRST, exitCodeOf, type VerdictName } from './verdict/exit-codes.js'
export type { AlertOutcome, AlertVerdict } from './verdict/judge-alerts.js'
export { judge, type Verdict } from './verdict/judge.js'
export type { ExperimentResult } from './verdict/result.js'
