// Written by `npm run sync` from the tree.

import { functionProbe } from './function.js'
import { httpProbe } from './http.js'
import { metricProbe } from './metric.js'
import { prometheusProbe } from './prometheus.js'

/** The types of probes that a file can hold. */
export const PORTABLE_PROBES = [httpProbe, metricProbe, prometheusProbe] as const

/** Every type of probe: also those that hold code, which only a module can. */
export const PROBES = [functionProbe, httpProbe, metricProbe, prometheusProbe] as const
