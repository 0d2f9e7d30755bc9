import * as v from 'valibot'

const count = v.pipe(v.number('a number'), v.finite('a finite number'), v.minValue(0, 'a number from 0'))
const counts = {
  /** Requests sent. */
  requests: count,
  /** Writes that were answered with success. */
  acknowledged: count,
  /** Requests that were answered with a status of 500 or more, or not at all. */
  failed: count,
  /** Requests that were answered with a status from 400 to 499. */
  rejected: count,
  /** Acknowledged and missing. */
  lost: count,
  /** There, with other content than was acknowledged. */
  damaged: count,
  /** There, or delivered, more than once. */
  duplicated: count,
  /** Delivered in another order than promised. */
  reordered: count,
  /** Not delivered within the time the load allows. */
  undelivered: count,
}

const MAX_OFFENDERS = 10
const MAX_OFFENDER_LENGTH = 300

/** What a load says of itself. Counters count up from its start and never go back. */
const loadReportSchema = v.object({
  /** By the clock of the load, in ms since the epoch. */
  at: count,
  ...counts,
  /** Requests sent and not answered yet, and the age of the oldest, in ms. */
  underWay: count,
  oldestUnderWayMs: count,
  /** How many acknowledged writes the last full look compared; 0 before the first. */
  verified: count,
  /** The worst delay of the load's own event loop since its last report, in ms. */
  ownDelayMs: count,
  /** The first offenders, in words. */
  offenders: v.pipe(
    v.array(v.string('a text'), 'a list of texts'),
    v.transform((texts) => texts.slice(0, MAX_OFFENDERS).map((text) => text.slice(0, MAX_OFFENDER_LENGTH))),
  ),
})

/** What a load says of itself. */
export type LoadReport = Readonly<v.InferOutput<typeof loadReportSchema>>

/** One reading of the load's report. */
export interface LoadReading {
  readonly askedAt: number
  readonly at: number
  readonly report: LoadReport | undefined
  readonly problem: string | undefined
}

/** What of a load is counted. */
export type LoadCount = keyof typeof counts

/** Names of the counters of a load. */
export const LOAD_COUNTS = Object.keys(counts) as readonly LoadCount[]

/** What a load has counted since an earlier report of it, and the offenders that it has named since. */
export function loadSince(
  report: LoadReport,
  earlier: LoadReport | undefined,
): Readonly<Record<LoadCount, number>> & Pick<LoadReport, 'offenders'> {
  const difference = Object.fromEntries(
    LOAD_COUNTS.map((name) => [name, report[name] - (earlier?.[name] ?? 0)]),
  ) as Record<LoadCount, number>
  return {
    ...difference,
    offenders: report.offenders.filter((offender) => earlier?.offenders.includes(offender) !== true),
  }
}

/** Checks what a load answered. @throws An error that says what was expected where, and what came. */
export function checkLoadReport(value: unknown): LoadReport {
  const result = v.safeParse(loadReportSchema, value)
  if (result.success) return result.output
  const [issue] = result.issues
  const place = issue.path?.map(({ key }) => String(key)).join('.') ?? ''
  throw new Error(
    place === ''
      ? 'the report of the load is not a JSON object'
      : `\`${place}\` of the report of the load is missing or is not ${issue.message.startsWith('Invalid') ? 'a number' : issue.message}`,
  )
}
