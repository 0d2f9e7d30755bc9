import type { AlertReaderType } from './alert-reader-type.js'
import { alertmanagerReader } from './alertmanager.js'
import { prometheusReader } from './prometheus.js'

/** The alert readers of this package. To add one, declare an `alertReaderType` in its own file and list it here. */
export const ALERT_READERS: readonly AlertReaderType[] = [prometheusReader, alertmanagerReader]
