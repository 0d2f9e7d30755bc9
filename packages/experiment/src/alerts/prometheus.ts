import * as v from 'valibot'
import { own, shown } from '../shared/answer.js'
import { largest, numberOf } from '../shared/numbers.js'
import { address, durationMs as spanOrZeroMs, named, spanMs } from '../shared/schemas.js'
import { durationMs, longestRangeMs } from '../shared/duration.js'
import { DEFAULT_TIMEOUT_MS, getJson, MonitoringError, type Answer } from './get-json.js'
import { alertReaderType, optionsOf } from './alert-reader-type.js'
import {
  awaited,
  MAX_PROBLEMS,
  type ActiveAlert,
  type AlertReader,
  type AlertRule,
  type MonitoringHealth,
} from './reader.js'
import { alertOf, labelsOf, listAt, oldest, textAt, timeAt } from './untrusted.js'

const schema = v.strictObject({
  url: address('Address of the Prometheus HTTP API.'),
  timeoutMs: v.optional(spanMs('Longest wait for an answer, in ms. Default 5000.'), DEFAULT_TIMEOUT_MS),
  scrapeIntervalMs: v.optional(
    spanOrZeroMs('Scrape interval, in ms. Default: the interval of its targets, or 0 where the API lists no targets.'),
  ),
  watchdog: v.optional(
    named(
      'Name of an alert that always fires (often `Watchdog`), which proves that alerting works. It is not reported as an alert. Default: none.',
    ),
  ),
})

/** Options of {@link prometheusAlerts}. */
export type PrometheusAlertsOptions = Readonly<v.InferInput<typeof schema>>

/** Longest problem text of a rule, in characters. Prometheus lists series in it. */
const MAX_PROBLEM = 1_000

const CLOCK_PATH = '/api/v1/query?query=time()'
const RULES_PATH = '/api/v1/rules?type=alert'
const TARGETS_PATH = '/api/v1/targets?state=active'

/**
 * Reads alerts from a Prometheus, or from a server that implements its `/api/v1/alerts` and `/api/v1/rules`.
 *
 * An alert has resolved when the list no longer contains it. Its condition began at `activeAt`. An answer with more
 * than 10,000 entries or 10 MB counts as a failed reading.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when an option is unknown or its value is invalid
 */
export function prometheusAlerts(options: PrometheusAlertsOptions): AlertReader {
  const { url, timeoutMs, scrapeIntervalMs, watchdog } = optionsOf(schema, options, 'prometheusAlerts')
  const ask = async (path: string, signal: AbortSignal | undefined): Promise<Answer & { readonly data: unknown }> => {
    const answer = await getJson(url, path, timeoutMs, signal)
    const data = own(answer.json, 'data')
    if (own(answer.json, 'status') === 'error' || data === undefined)
      throw new Error(
        `The monitoring system answered ${url}${path} without data: ${shown(textAt(answer.json, 'error') ?? 'unknown reason')}`,
      )
    return { ...answer, data }
  }
  /** Requests a resource that compatible servers may not implement. */
  const askOptional = async (
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<(Answer & { readonly data: unknown }) | undefined> => {
    try {
      return await ask(path, signal)
    } catch (error) {
      if (error instanceof MonitoringError && (error.status === 404 || error.status === 501)) return undefined
      throw error
    }
  }
  return {
    source: url,
    async read(signal) {
      const { data } = await ask('/api/v1/alerts', signal)
      return listAt(data, 'alerts').flatMap((alert): ActiveAlert[] => {
        const state = textAt(alert, 'state')
        if (state !== 'pending' && state !== 'firing') return []
        const named = alertOf(own(alert, 'labels'))
        if (named.name === watchdog) return []
        const activeAt = timeAt(alert, 'activeAt')
        return [{ ...named, state, ...(activeAt === undefined ? {} : { activeAt }) }]
      })
    },
    async rules(signal) {
      const { data } = await ask(RULES_PATH, signal)
      return alertingGroups(data).flatMap(({ intervalMs, rules }) => rules.map((rule) => ruleOf(rule, intervalMs)))
    },
    async timing(signal) {
      if (scrapeIntervalMs !== undefined) return { scrapeIntervalMs }
      const { data } = await ask(TARGETS_PATH, signal)
      return {
        scrapeIntervalMs: largest(
          awaited(targetsOf(data)).map(({ intervalMs }) => intervalMs),
          0,
        ),
      }
    },
    async health(signal) {
      const [clock, rules, targets] = await Promise.all([
        askOptional(CLOCK_PATH, signal),
        askOptional(RULES_PATH, signal),
        askOptional(TARGETS_PATH, signal),
      ])
      const groups = rules === undefined ? [] : alertingGroups(rules.data)
      const active = targets === undefined ? [] : targetsOf(targets.data)
      const problems = [...groups.flatMap(groupProblems), ...active.flatMap(targetProblems)]
      return {
        ...clockOf(clock),
        evaluatedAt: oldest(awaited(groups).map(({ evaluatedAt }) => evaluatedAt)),
        scrapedAt: oldest(awaited(active).map(({ scrapedAt }) => scrapedAt)),
        ...(active.length === 0 ? {} : { isBlind: active.every(({ isDown }) => isDown) }),
        problems: problems.slice(0, MAX_PROBLEMS),
      }
    },
  }
}

/** The entry of this reader in `ALERT_READERS`. */
export const prometheusReader = alertReaderType({
  type: 'prometheus',
  summary: 'Reads alerts from a Prometheus, or from a server that implements its API.',
  schema,
  read: prometheusAlerts,
})

interface Group {
  readonly name: string
  readonly intervalMs: number
  readonly evaluatedAt: number | undefined
  /** The alerting rules of the group. */
  readonly rules: readonly unknown[]
}

/** The rule groups that contain alerting rules. */
function alertingGroups(data: unknown): readonly Group[] {
  return listAt(data, 'groups').flatMap((group) => {
    const rules = listAt(group, 'rules').filter((rule) => textAt(rule, 'type') === 'alerting')
    return rules.length === 0
      ? []
      : [
          {
            name: textAt(group, 'name') ?? '',
            intervalMs: msAt(group, 'interval'),
            evaluatedAt: timeAt(group, 'lastEvaluation'),
            rules,
          },
        ]
  })
}

function ruleOf(rule: unknown, intervalMs: number): AlertRule {
  const [labels, problem, keepFiringForMs] = [
    own(rule, 'labels'),
    textAt(rule, 'lastError'),
    msAt(rule, 'keepFiringFor'),
  ]
  const set = labels === undefined || labels === null ? {} : labelsOf(labels)
  return {
    name: textAt(rule, 'name') ?? '',
    forMs: msAt(rule, 'duration'),
    intervalMs,
    rangeMs: longestRangeMs(textAt(rule, 'query') ?? ''),
    isHealthy: textAt(rule, 'health') !== 'err',
    ...(Object.keys(set).length === 0 ? {} : { labels: set }),
    ...(keepFiringForMs === 0 ? {} : { keepFiringForMs }),
    ...(problem === undefined || problem === '' ? {} : { problem: shown(problem, MAX_PROBLEM) }),
  }
}

/** Reads a duration in seconds at a key and converts it to ms. */
function msAt(value: unknown, key: string): number {
  const seconds = own(value, key)
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0
}

function groupProblems({ name, evaluatedAt, rules }: Group): readonly string[] {
  const broken = rules
    .filter((rule) => textAt(rule, 'health') === 'err')
    .map(
      (rule) =>
        `The rule ${shown(textAt(rule, 'name') ?? '')} is broken: ${shown(textAt(rule, 'lastError') ?? 'unknown reason', MAX_PROBLEM)}`,
    )
  return evaluatedAt === 0 ? [`The rules of group ${shown(name)} have never been evaluated`, ...broken] : broken
}

interface Target {
  readonly intervalMs: number
  readonly scrapedAt: number | undefined
  readonly isDown: boolean
  readonly url: string
  readonly problem: string
}

function targetsOf(data: unknown): readonly Target[] {
  return listAt(data, 'activeTargets').map((target) => ({
    intervalMs: durationMs(textAt(target, 'scrapeInterval') ?? '') ?? 0,
    scrapedAt: timeAt(target, 'lastScrape'),
    isDown: textAt(target, 'health') === 'down',
    url: textAt(target, 'scrapeUrl') ?? '',
    problem: textAt(target, 'lastError') ?? 'unknown reason',
  }))
}

function targetProblems({ isDown, url, problem }: Target): readonly string[] {
  return isDown ? [`The target ${shown(url)} cannot be scraped: ${shown(problem)}`] : []
}

/** Reads the clock of Prometheus, which evaluates `time()` between the request and its answer. */
function clockOf(
  answer: (Answer & { readonly data: unknown }) | undefined,
): Pick<MonitoringHealth, 'now' | 'nowErrorMs'> {
  const result = own(answer?.data, 'result')
  const text: unknown = Array.isArray(result) ? result[1] : undefined
  const seconds = typeof text === 'string' ? numberOf(text) : undefined
  if (answer === undefined || seconds === undefined || !Number.isFinite(seconds))
    return { now: undefined, nowErrorMs: 0 }
  const { askedAt, answeredAt } = answer
  return {
    now: seconds * 1_000 + performance.now() - (askedAt + answeredAt) / 2,
    nowErrorMs: (answeredAt - askedAt) / 2 + 1,
  }
}
