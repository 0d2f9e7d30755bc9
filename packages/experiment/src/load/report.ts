import * as v from 'valibot'

const count = v.pipe(v.number('a number'), v.finite('a finite number'), v.minValue(0, 'a number from 0'))
const counts = {
  /** Requests sent. */
  requests: count,
  /** Writes that were answered successfully. */
  acknowledged: count,
  /** Requests with status 500 or higher, or without an answer. */
  failed: count,
  /** Requests with a status from 400 to 499. */
  rejected: count,
  /** Acknowledged writes that are missing. */
  lost: count,
  /** Acknowledged writes whose content differs. */
  damaged: count,
  /** Writes that are stored or were delivered more than once. */
  duplicated: count,
  /** Deliveries that violate the promised order. */
  reordered: count,
  /** Deliveries that missed the load's own time limit. */
  undelivered: count,
}

const MAX_OFFENDERS = 10
const MAX_OFFENDER_LENGTH = 300

/** The report of a load. Counters start at 0 when the load starts and never decrease. */
const loadReportSchema = v.object({
  /** The time by the load's clock, in ms since the epoch. */
  at: count,
  ...counts,
  /** Requests without an answer yet, and the age of the oldest, in ms. */
  underWay: count,
  oldestUnderWayMs: count,
  /** How many acknowledged writes the last full verification compared; 0 before the first verification. */
  verified: count,
  /** The longest delay of the load's event loop since its last report, in ms. */
  ownDelayMs: count,
  /** Descriptions of the first violations, at most 10. */
  offenders: v.pipe(
    v.array(v.string('a text'), 'a list of texts'),
    v.transform((texts) => texts.slice(0, MAX_OFFENDERS).map((text) => text.slice(0, MAX_OFFENDER_LENGTH))),
  ),
})

/** The report of a load. Counters start at 0 when the load starts and never decrease. */
export type LoadReport = Readonly<v.InferOutput<typeof loadReportSchema>>

/** One reading of the load's report. */
export interface LoadReading {
  readonly askedAt: number
  readonly at: number
  readonly report: LoadReport | undefined
  readonly problem: string | undefined
}

/** The name of a load counter. */
export type LoadCount = keyof typeof counts

/** The names of the load counters. */
export const LOAD_COUNTS = Object.keys(counts) as readonly LoadCount[]

/** The difference between two reports of a load: its counters, and the violations added since. */
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

/** Checks the report of a load. @throws Error that names the first field that is missing or invalid */
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
