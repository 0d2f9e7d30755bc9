import { asksMonitoring } from '../probes/probe-types.js'
import type { Sample } from '../probes/read.js'
import type { Curve, Evidence } from './evidence.js'
import { lookedAt, monitorOf } from './signs-of-life.js'

/**
 * Removes the good readings of a probe whose data is older than a moment: readings that were requested before it, whose
 * series was scraped before it, or whose page has not changed since. Good data from before the end of a fault does not
 * prove recovery.
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
  // The first page may have been written before the moment. A page that differs from it was written later. The first
  // page itself was written later if it differs from an earlier bad page.
  const wasBad = curves.some(
    (one) => one.origin === origin && one.samples.filter((sample) => sample.at < since).at(-1)?.isGood === false,
  )
  return ({ dataAt }) => dataAt === undefined || dataAt > at || (wasBad && writtenAt >= since && dataAt >= writtenAt)
}
