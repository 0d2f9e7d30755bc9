import type { AlertReaderType } from './alert-reader-type.js'
import { alertmanagerReader } from './alertmanager.js'
import { prometheusReader } from './prometheus.js'

/** Every kind of reader of alerts that comes with the package. A new kind is one file with an `alertReaderType`, and an entry here. */
export const ALERT_READERS: readonly AlertReaderType[] = [prometheusReader, alertmanagerReader]
