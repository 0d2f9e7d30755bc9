import { portableInjectSchema } from '@chaos/core'
import * as v from 'valibot'
import { reasonOf } from '../shared/answer.js'
import type { LoadReport } from '../load/report.js'
import { compilePattern, MAX_PATTERN } from '../probes/pattern.js'

/** The longest time span in an experiment, in ms: a day. */
const MAX_MS = 86_400_000

/** Gives the report of a load; with `look`, after it has looked for every acknowledged write. */
export type LoadReader = (options: { readonly look: boolean }) => LoadReport | Promise<LoadReport>

/** Longest name, and longest other text (a query, an address, a description), in characters. */
const MAX_NAME = 500
const MAX_TEXT = 10_000
/** Most probes, alerts or actions in a list, steps of a method, and labels. */
const MAX_LIST = 100
const MAX_STEPS = 1_000
const MAX_LABELS = 50

const textUpTo = (length: number) =>
  v.pipe(
    v.string('a text'),
    v.minLength(1, 'a text that is not empty'),
    v.maxLength(length, `a text of at most ${length} characters`),
  )
const text = textUpTo(MAX_TEXT)
const name = textUpTo(MAX_NAME)
const named = (description: string) => v.pipe(name, v.description(description))
const described = (description: string) => v.pipe(text, v.description(description))
const listOf = <Item extends v.GenericSchema>(item: Item, what: string, length = MAX_LIST) =>
  v.pipe(v.array(item, `a list of ${what}`), v.maxLength(length, `a list of at most ${length} ${what}`))
const durationMs = (description: string) => {
  const expected = `a number of ms from 0 to ${MAX_MS}`
  return v.pipe(v.number(expected), v.minValue(0, expected), v.maxValue(MAX_MS, expected), v.description(description))
}
const spanMs = (description: string) =>
  v.pipe(durationMs(description), v.minValue(1, `a number of ms from 1 to ${MAX_MS}`))
const number = v.pipe(v.number('a number'), v.finite('a finite number'))
const labels = v.pipe(
  v.record(
    v.string(),
    v.pipe(v.string('a text'), v.maxLength(MAX_NAME, `a text of at most ${MAX_NAME} characters`)),
    'labels: names and texts',
  ),
  v.maxEntries(MAX_LABELS, `at most ${MAX_LABELS} labels`),
)
const names = (description: string) => v.pipe(listOf(name, 'names'), v.description(description))
const address = (description: string) =>
  v.pipe(
    text,
    v.regex(/^(https?:\/\/|\$\{)/, 'an address that begins with http:// or https://'),
    v.check(isAddress, 'an address that can be asked'),
    v.description(description),
  )

const tolerance = v.pipe(
  v.strictObject(
    {
      below: v.optional(number),
      above: v.optional(number),
      atLeast: v.optional(number),
      atMost: v.optional(number),
      equals: v.optional(v.union([number, v.boolean('true or false')], 'a number, true or false')),
    },
    'bounds: `below`, `above`, `atLeast`, `atMost` or `equals`',
  ),
  v.minEntries(1, 'at least one bound: `below`, `above`, `atLeast`, `atMost` or `equals`'),
  v.description('Bounds that the value must keep; all of them. `true` counts as 1, `false` as 0.'),
)

/** Whether an address can be asked; one with variables is checked once they have their values. */
function isAddress(address: string): boolean {
  const rest = address.replace(/\$\{\w+\}/g, '')
  // What looks like a variable and is none would be left as it stands.
  if (rest.includes('${')) return false
  if (rest !== address) return true
  try {
    // As `fetch` takes it: without a password, for one.
    return new URL(new Request(address).url).hostname !== ''
  } catch {
    return false
  }
}

/** Whether a pattern can be matched; one with variables is checked once they have their values. */
function isPattern(pattern: string): boolean {
  return problemOf(pattern) === undefined
}
function whyNoPattern({ input }: v.CheckIssue<string>): string {
  return `a regular expression that can be matched without backtracking (${problemOf(input) ?? ''})`
}
function problemOf(pattern: string): string | undefined {
  if (/\$\{\w+\}/.test(pattern)) return undefined
  try {
    compilePattern(pattern)
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

const STATUS = 'a status from 100 to 599'

const probeBase = {
  name: named('What it measures; unique in the experiment.'),
  unit: v.optional(described('Unit of the value, for people: ms, Hz.')),
  timeoutMs: v.optional(
    spanMs('Longest wait for a reading; no answer within it is no data, never a pass. Default 2000.'),
  ),
}

const httpProbe = v.strictObject({
  ...probeBase,
  type: v.literal('http'),
  url: address('Where to ask.'),
  status: v.optional(
    v.pipe(
      number,
      v.integer('a whole number'),
      v.minValue(100, STATUS),
      v.maxValue(599, STATUS),
      v.description(
        'Status to expect. Without `path` the value is 1 when it comes, with a whole answer, and 0 when another comes. Redirects are not followed. Default 200.',
      ),
    ),
  ),
  path: v.optional(described('Dotted path of a number in the JSON answer, taken as the value.')),
  tolerance: v.optional(tolerance),
})

const seriesSelector = {
  series: described('Name of the series; for a `quantile`, of the histogram.'),
  labels: v.optional(v.pipe(labels, v.description('Labels that it must have, as they are.'))),
  labelsMatch: v.optional(
    v.pipe(
      v.record(
        v.string(),
        v.pipe(
          v.string('a text'),
          v.maxLength(MAX_PATTERN, `a pattern of at most ${MAX_PATTERN} characters`),
          v.check(isPattern, whyNoPattern),
        ),
        'labels: names and texts',
      ),
      v.maxEntries(MAX_LABELS, `at most ${MAX_LABELS} labels`),
      v.description(
        'Labels that it must have, as regular expressions that match all of the text: literals, `.`, classes, groups, `|`, `* + ?` and `{n,m}`, without back-references and looking around, at most 500 characters.',
      ),
    ),
  ),
}
const metricProbe = v.strictObject({
  ...probeBase,
  type: v.literal('metric'),
  url: address('A page in the Prometheus text format.'),
  ...seriesSelector,
  reduce: v.optional(
    v.pipe(
      v.picklist(['min', 'max', 'sum'], 'one of `min`, `max`, `sum`'),
      v.description('How several matching series make one value. Default: they must be one.'),
    ),
  ),
  quantile: v.optional(
    v.pipe(
      number,
      v.minValue(0, 'a number from 0 to 1'),
      v.maxValue(1, 'a number from 0 to 1'),
      v.description('Quantile of a histogram, from 0 to 1, as Prometheus estimates it.'),
    ),
  ),
  windowMs: v.optional(
    spanMs(
      'Look at the increase over so long, as seen by this probe, instead of at the total: for counters and histograms. Readings more than twice the window apart give no data.',
    ),
  ),
  outOf: v.optional(
    v.pipe(v.strictObject(seriesSelector), v.description('Divide by the sum of these series: a share.')),
  ),
  emptyIs: v.optional(
    v.pipe(
      number,
      v.description(
        'Value to take where no sample has these labels, or nothing happened in the window: a share of nothing. Only while the page knows the series by its name, from a sample with any labels, `# TYPE` or `# HELP`; else there is no data. Default: no data.',
      ),
    ),
  ),
  staleAfterMs: v.optional(
    durationMs(
      'How long the page may stay the same, to the byte, before what it says counts as old. 0: for ever, for a page on which nothing ever moves. Default 15000.',
    ),
  ),
  tolerance,
})
const prometheusProbe = v.strictObject({
  ...probeBase,
  type: v.literal('prometheus'),
  url: address('Address of a Prometheus HTTP API.'),
  query: described('PromQL that gives one number. No result, or NaN, means no data, unless `emptyIs` says otherwise.'),
  emptyIs: v.optional(
    v.pipe(
      number,
      v.description(
        'Value to take where the query gives NaN (0 divided by 0: nothing happened), or has no result and `existsQuery` has one. Default: no data.',
      ),
    ),
  ),
  existsQuery: v.optional(
    described(
      'PromQL that has a result while the series of `query` exist, such as `count(http_requests_total)`. Without it an empty result is no data, also with `emptyIs`: series that were renamed or taken out are empty too.',
    ),
  ),
  tolerance,
})
const functionProbe = v.strictObject({
  ...probeBase,
  type: v.literal('function'),
  read: v.custom<() => number | boolean | Promise<number | boolean>>(
    (value) => typeof value === 'function',
    'a function that returns a number, true or false',
  ),
  tolerance,
})

const portableProbe = v.variant(
  'type',
  [httpProbe, metricProbe, prometheusProbe],
  'one of the types `http`, `metric`, `prometheus`',
)
const anyProbe = v.variant(
  'type',
  [httpProbe, metricProbe, prometheusProbe, functionProbe],
  'one of the types `http`, `metric`, `prometheus`, `function`',
)

const httpAction = v.strictObject({
  name: named('What it does.'),
  type: v.literal('http'),
  url: address('Where to ask.'),
  method: v.optional(
    v.pipe(
      v.picklist(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], 'one of `GET`, `POST`, `PUT`, `PATCH`, `DELETE`'),
      v.description('Default POST.'),
    ),
  ),
  headers: v.optional(labels),
  body: v.optional(v.pipe(v.unknown(), v.description('Sent as JSON.'))),
  timeoutMs: v.optional(spanMs('Longest wait for the answer. Default 10000.')),
})
const functionAction = v.strictObject({
  name,
  type: v.literal('function'),
  run: v.custom<() => unknown>((value) => typeof value === 'function', 'a function'),
  timeoutMs: v.optional(spanMs('Longest wait for it to finish. Default 10000.')),
})
const anyAction = v.variant('type', [httpAction, functionAction], 'one of the types `http`, `function`')

// How a fault is put in force is core's: nothing is written twice. The run names its injections itself.
const { id: _id, leaseMs: _leaseMs, ...blastRadius } = portableInjectSchema.entries

const injectStep = v.strictObject({
  inject: v.strictObject({
    target: named('Name of the target, as the process gives it.'),
    fault: named('Name of the fault: `eventbus/delay-events`, or the part after the slash.'),
    options: v.optional(
      v.pipe(
        v.record(v.string(), v.unknown(), "the fault's options"),
        v.description("The fault's options; the process checks them."),
      ),
    ),
    leaseMs: v.optional(
      durationMs('How long the fault stays in force: the outage ends when the lease does. Default 60000.'),
    ),
    forMs: v.optional(
      durationMs(
        'Stop the fault after so long, before its lease ends. Recovery then counts as assisted; prefer `leaseMs`.',
      ),
    ),
    ...blastRadius,
  }),
})
const waitStep = v.strictObject({ waitMs: durationMs('How long to wait before the next step.') })

const allowance = (description: string) =>
  v.optional(v.pipe(v.number('a number from 0'), v.minValue(0, 'a number from 0'), v.description(description)), 0)
const loadOf = <R extends v.GenericSchema>(report: R) =>
  v.pipe(
    v.strictObject({
      report,
      atLeastPerSecond: v.optional(
        v.pipe(
          number,
          v.minValue(0, 'a number from 0'),
          v.description(
            'Requests that must be sent each second, in every part of the run; and writes that must be acknowledged each second before the fault and once the system has recovered. Default 1.',
          ),
        ),
        1,
      ),
      maxOwnDelayMs: v.optional(
        durationMs(
          "The longest delay of the load's own event loop. A longer one makes the run inconclusive: the machine was too slow. Default 250.",
        ),
        250,
      ),
      stuckAfterMs: v.optional(
        durationMs('A request that is under way for longer is stuck, which is a weakness. Default 10000.'),
        10_000,
      ),
      atMost: v.optional(
        v.pipe(
          v.strictObject({
            failed: allowance('Requests that are answered with a status of 500 or more, or not at all. Default 0.'),
            rejected: allowance('Requests that are answered with a status from 400 to 499. Default 0.'),
            lost: allowance('Acknowledged writes that are missing. Default 0.'),
            damaged: allowance('Acknowledged writes with other content. Default 0.'),
            duplicated: allowance('Writes that are there, or were delivered, more than once. Default 0.'),
            reordered: allowance('Deliveries in another order than promised. Default 0.'),
            undelivered: allowance('Deliveries that did not come within the time the load allows. Default 0.'),
          }),
          v.description('How many of each the load may report from the start of the method on.'),
        ),
        {},
      ),
    }),
    v.description(
      'The load this run counts on. Whoever runs the experiment provides it, and it reports on itself; its figures are evidence.',
    ),
  )

const alertMatcher = v.strictObject({
  name: named('Name of the alert.'),
  labels: v.optional(v.pipe(labels, v.description('Labels that it must have; it may have more.'))),
})
const expectedAlert = v.strictObject({
  ...alertMatcher.entries,
  withinMs: durationMs(
    'Deadline, counted from the moment the fault landed: by then it must fire and, where notifications are received, be heard.',
  ),
})

const shape = <P extends v.GenericSchema, A extends v.GenericSchema, L extends v.GenericSchema>(
  probe: P,
  action: A,
  load: L,
) =>
  v.strictObject({
    $schema: v.optional(described('Where the JSON Schema of experiments is, for editors.')),
    title: name,
    description: v.optional(text),
    load: v.optional(load),
    steadyState: v.strictObject({
      probes: v.pipe(listOf(probe, 'probes'), v.minLength(1, 'a list of at least one probe')),
      holdForMs: v.optional(
        durationMs('How long all probes must hold without a break, before the fault and after it. Default 5000.'),
        5_000,
      ),
      timeoutMs: v.optional(durationMs('How long to wait for it before the fault. Default 30000.'), 30_000),
      mayBreach: v.optional(
        names(
          'Names of the probes that may leave their bounds from the first fault of the method until recovery. Default: none.',
        ),
        [],
      ),
    }),
    method: v.pipe(
      listOf(v.union([injectStep, waitStep], 'a step: `inject` or `waitMs`'), 'steps', MAX_STEPS),
      v.minLength(1, 'a list of at least one step'),
    ),
    expectedOutageMs: v.optional(durationMs('For an instant fault: how long its effect is expected to last.')),
    alerts: v.optional(
      v.pipe(
        v.strictObject({
          mustFire: v.optional(listOf(expectedAlert, 'alerts'), []),
          mayFire: v.optional(listOf(v.union([name, alertMatcher], 'a name, or a name and labels'), 'alerts'), []),
          resolveWithinMs: v.optional(
            durationMs('How soon every alert must be gone after the fault has ended. Default 60000.'),
            60_000,
          ),
        }),
        v.description(
          'Which alerts must fire and which may; any other must not. Without this section the run does not depend on alerts.',
        ),
      ),
    ),
    recovery: v.optional(
      v.strictObject({
        withinMs: v.optional(
          durationMs(
            'Budget from the end of the fault (or the kill) until the steady state has held for `holdForMs` again. Default 60000.',
          ),
          60_000,
        ),
        duringFault: v.optional(
          v.strictObject({
            probes: v.pipe(
              listOf(name, 'names'),
              v.minLength(1, 'a list of at least one name'),
              v.description('Names of steady-state probes that must hold again although the fault is still in force.'),
            ),
            withinMs: durationMs('From so long after the fault landed until its end they must hold.'),
          }),
        ),
      }),
      {},
    ),
    guardrails: v.optional(
      v.pipe(
        listOf(probe, 'probes'),
        v.description(
          'Read all the while: the first one out of its bounds, or without data, ends the run and takes everything back.',
        ),
      ),
      [],
    ),
    rollbacks: v.optional(
      v.pipe(
        listOf(action, 'actions'),
        v.description('Done at the very end, after recovery was watched, whatever happened.'),
      ),
      [],
    ),
    afterwards: v.optional(
      v.pipe(listOf(probe, 'probes'), v.description('Read once at the end, for example entries lost.')),
      [],
    ),
  })

const loadAddress = address(
  'Where the load serves its report as JSON. The parameter `look` makes it look for every acknowledged write first.',
)
/** What an experiment file may hold. */
export const portableExperimentSchema = shape(portableProbe, httpAction, loadOf(loadAddress))
/** The same, with probes and actions that are functions. */
export const experimentSchema = shape(
  anyProbe,
  anyAction,
  loadOf(
    v.union(
      [loadAddress, v.custom<LoadReader>((value) => typeof value === 'function', 'a function that gives the report')],
      'an address, or a function that gives the report',
    ),
  ),
)

/** An experiment as it is written; defaults may be left out. */
export type ExperimentInput = v.InferInput<typeof experimentSchema>
/** An experiment that has been checked, with its defaults. */
export type Experiment = v.InferOutput<typeof experimentSchema>
/** A reading free of side effects. */
export type Probe = v.InferOutput<typeof anyProbe>
/** The load an experiment counts on. */
export type LoadInput = NonNullable<Experiment['load']>
/** A probe of the type `metric`. */
export type MetricProbe = v.InferOutput<typeof metricProbe>
/** A probe of the type `prometheus`. */
export type PrometheusProbe = v.InferOutput<typeof prometheusProbe>
/** Which series of a metrics page are meant. */
export type SeriesSelector = Pick<MetricProbe, 'series' | 'labels' | 'labelsMatch'>
/** A change that is made at the very end of a run. */
export type Action = v.InferOutput<typeof anyAction>
/** Bounds of a reading. */
export type Tolerance = v.InferOutput<typeof tolerance>
/** One step of a method. */
export type Step = Experiment['method'][number]
/** The step that puts a fault in force. */
export type InjectStep = v.InferOutput<typeof injectStep>['inject']
/** An alert that must fire. */
export type ExpectedAlert = v.InferOutput<typeof expectedAlert>
/** An alert that is meant: by its name, or by name and labels. */
export type AlertMatcher = string | v.InferOutput<typeof alertMatcher>
