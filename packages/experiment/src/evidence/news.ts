import { asksMonitoring } from '../probes/probe-types.js'
import type { Sample } from '../probes/read.js'
import type { Curve, Evidence } from './evidence.js'
import { lookedAt, monitorOf } from './signs-of-life.js'

/**
 * The readings of a probe without the good ones from a moment on that cannot show what came after it: asked for before it, scraped before it, or of a
 * page that has not become another one since. A system that is well by data from before its fault is not known to be well.
 */
export function newsSince(
  curve: Curve,
  since: number,
  evidence: Pick<Evidence, 'curves' | 'monitors'>,
): Curve['samples'] {
  const isNews = newsOf(curve, since, evidence)
  return curve.samples.filter(
    (sample) => sample.at < since || !sample.isGood || (sample.askedAt >= since && isNews(sample)),
  )
}

function newsOf(
  { source, origin, maxAgeMs, samples }: Curve,
  since: number,
  { curves, monitors }: Pick<Evidence, 'curves' | 'monitors'>,
): (sample: Sample) => boolean {
  if (asksMonitoring(source)) {
    const monitor = monitorOf(monitors, origin)
    const from = monitor === undefined ? since : (lookedAt(monitor, 'scrapedAt', since) ?? Number.POSITIVE_INFINITY)
    return ({ askedAt }) => askedAt >= from
  }
  const first =
    maxAgeMs !== undefined ? samples.find(({ askedAt, dataAt }) => askedAt >= since && dataAt !== undefined) : undefined
  if (first?.dataAt === undefined) return () => true
  const { at, dataAt: writtenAt } = first
  // The first page may have been written before; what differs from it was written since. So was the first, where it differs from one that was bad.
  const wasBad = curves.some(
    (one) => one.origin === origin && one.samples.filter((sample) => sample.at < since).at(-1)?.isGood === false,
  )
  return ({ dataAt }) => dataAt === undefined || dataAt > at || (wasBad && writtenAt >= since && dataAt >= writtenAt)
}
