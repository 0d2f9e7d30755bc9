import { portableInjectOptions } from '@chaos/core/authoring'
import * as v from 'valibot'
import type { LoadReport } from '../load/report.js'
import { anyProbe, portableProbe, type Probe } from '../probes/probe-types.js'
import {
  address,
  described,
  durationMs,
  labels,
  listOf,
  name,
  named,
  names,
  number,
  spanMs,
} from '../shared/schemas.js'
import { adopted } from './core-options.js'

/** Returns the report of a load. With `look: true`, the load verifies every acknowledged write first. */
export type LoadReader = (options: { readonly look: boolean }) => LoadReport | Promise<LoadReport>

/** The most steps in a method. */
const MAX_STEPS = 1_000

const httpAction = v.strictObject({
  name: named('What the action does, for messages.'),
  type: v.literal('http'),
  url: address('Address to send the request to.'),
  method: v.optional(
    v.pipe(
      v.picklist(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], 'one of `GET`, `POST`, `PUT`, `PATCH`, `DELETE`'),
      v.description('HTTP method. Default POST.'),
    ),
  ),
  headers: v.optional(v.pipe(labels, v.description('Request headers. Default: none.'))),
  body: v.optional(v.pipe(v.unknown(), v.description('Request body, sent as JSON. Default: no body.'))),
  timeoutMs: v.optional(spanMs('Longest wait for the answer, in ms. Default 10000.')),
})
const functionAction = v.strictObject({
  name,
  type: v.literal('function'),
  run: v.custom<() => unknown>((value) => typeof value === 'function', 'a function'),
  timeoutMs: v.optional(spanMs('Longest wait for the function to finish, in ms. Default 10000.')),
})
const anyAction = v.variant('type', [httpAction, functionAction], 'one of the types `http`, `function`')

// The inject options come from core, which declares them once. The run chooses the injection ids itself.
const { id: _id, leaseMs: _leaseMs, observe: _observe, ...blastRadiusOptions } = portableInjectOptions
const blastRadius = adopted(blastRadiusOptions)

const injectStep = v.strictObject({
  inject: v.strictObject({
    target: named('Name of the target in the process, as `chaos targets` lists it.'),
    fault: named('Name of the fault: `eventbus/delay-events`, or the part after the slash.'),
    options: v.optional(
      v.pipe(
        v.record(v.string(), v.unknown(), "the fault's options"),
        v.description("The fault's options. The process validates them."),
      ),
    ),
    leaseMs: v.optional(
      durationMs(
        'Lease: how long the fault stays in force, in ms. The fault ends with its lease, as an outage ends by itself. Default 60000.',
      ),
    ),
    forMs: v.optional(
      durationMs(
        'Stop the fault after this time, in ms, before its lease ends. Recovery then counts as assisted. Prefer `leaseMs`. Default: the fault ends with its lease.',
      ),
    ),
    ...blastRadius,
  }),
})
const waitStep = v.strictObject({ waitMs: durationMs('Pause before the next step, in ms.') })

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
            'Requests that the load must send per second throughout the run, and writes that must be acknowledged per second before the fault and after recovery. 0: no rate is required. Default 1.',
          ),
        ),
        1,
      ),
      maxOwnDelayMs: v.optional(
        durationMs(
          "Longest allowed delay of the load's event loop, in ms. A longer delay makes the run inconclusive: the machine was too slow. Default 250.",
        ),
        250,
      ),
      stuckAfterMs: v.optional(
        durationMs(
          'A request without an answer for longer than this, in ms, is stuck, which is a weakness. Default 10000.',
        ),
        10_000,
      ),
      atMost: v.optional(
        v.pipe(
          v.strictObject({
            failed: allowance('Allowed requests with status 500 or higher, or without an answer. Default 0.'),
            rejected: allowance('Allowed requests with a status from 400 to 499. Default 0.'),
            lost: allowance('Allowed acknowledged writes that are missing. Default 0.'),
            damaged: allowance('Allowed acknowledged writes whose content differs. Default 0.'),
            duplicated: allowance('Allowed writes that are stored or were delivered more than once. Default 0.'),
            reordered: allowance('Allowed deliveries that violate the promised order. Default 0.'),
            undelivered: allowance("Allowed deliveries that missed the load's own time limit. Default 0."),
          }),
          v.description('Limits of what the load may report, counted from the start of the method. Default: 0 each.'),
        ),
        {},
      ),
    }),
    v.description(
      'The load during the run. The run does not start the load. The load reports its own figures, which are evidence. Default: no load is required.',
    ),
  )

const alertMatcher = v.strictObject({
  name: named('Name of the alert (`alertname`).'),
  labels: v.optional(v.pipe(labels, v.description('Labels that the alert must have. It may have others.'))),
})
const expectedAlert = v.strictObject({
  ...alertMatcher.entries,
  withinMs: durationMs(
    'Deadline, in ms after the fault landed. By then the alert must fire and, in a run that receives notifications, its notification must arrive.',
  ),
})

const shape = <P extends v.GenericSchema, A extends v.GenericSchema, L extends v.GenericSchema>(
  probe: P,
  action: A,
  load: L,
) =>
  v.strictObject({
    $schema: v.optional(described('Address of the JSON Schema of experiments, for editors.')),
    title: named('Title of the experiment, for reports. Also names its injections.'),
    description: v.optional(described('What the experiment tests, for reports. Default: none.')),
    load: v.optional(load),
    steadyState: v.pipe(
      v.strictObject({
        probes: v.pipe(
          listOf(probe, 'probes'),
          v.minLength(1, 'a list of at least one probe'),
          v.description('Probes that describe a healthy system.'),
        ),
        holdForMs: v.optional(
          durationMs(
            'How long all probes must hold without a break, before the fault and after it, in ms. Default 5000.',
          ),
          5_000,
        ),
        timeoutMs: v.optional(
          durationMs('Longest wait for the steady state before the fault, in ms. Default 30000.'),
          30_000,
        ),
        mayBreach: v.optional(
          names(
            'Names of the probes that may leave their bounds between the first fault of the method and recovery. Default: none.',
          ),
          [],
        ),
      }),
      v.description(
        'Probes and bounds that define a healthy system. They must hold before the fault and again after it.',
      ),
    ),
    method: v.pipe(
      listOf(v.union([injectStep, waitStep], 'a step: `inject` or `waitMs`'), 'steps', MAX_STEPS),
      v.minLength(1, 'a list of at least one step'),
      v.description('Steps of the experiment, in order. Without an `inject` step, the run is a control run.'),
    ),
    expectedOutageMs: v.optional(durationMs('For an instant fault: how long its effect is expected to last, in ms.')),
    alerts: v.optional(
      v.pipe(
        v.strictObject({
          mustFire: v.optional(
            v.pipe(listOf(expectedAlert, 'alerts'), v.description('Alerts that must fire. Default: none.')),
            [],
          ),
          mayFire: v.optional(
            v.pipe(
              listOf(v.union([name, alertMatcher], 'a name, or a name and labels'), 'alerts'),
              v.description('Alerts that may fire. Default: none.'),
            ),
            [],
          ),
          mustNotFire: v.optional(
            v.pipe(
              listOf(v.union([name, alertMatcher], 'a name, or a name and labels'), 'alerts'),
              v.description(
                'Alerts that stop the run: the first one that fires ends it and rolls everything back. So does a source of alerts that cannot be read. Default: none.',
              ),
            ),
            [],
          ),
          resolveWithinMs: v.optional(
            durationMs(
              'Deadline, in ms after the fault ended, by which every alert must have resolved. Default 60000.',
            ),
            60_000,
          ),
        }),
        v.description(
          'Which alerts must fire, which may fire, and which stop the run. No other alert may fire. Default: alerts do not affect the verdict.',
        ),
      ),
    ),
    recovery: v.optional(
      v.pipe(
        v.strictObject({
          withinMs: v.optional(
            durationMs(
              'Recovery budget, in ms: from the end of the fault (an instant fault ends when it lands) until the steady state has held for `holdForMs` again. Default 60000.',
            ),
            60_000,
          ),
          duringFault: v.optional(
            v.pipe(
              v.strictObject({
                probes: v.pipe(
                  listOf(name, 'names'),
                  v.minLength(1, 'a list of at least one name'),
                  v.description('Names of steady-state probes that must hold again while the fault is still in force.'),
                ),
                withinMs: durationMs(
                  'The probes must hold from this time after the fault landed, in ms, until the fault ends.',
                ),
              }),
              v.description('Probes that must recover while the fault is still in force. Default: none.'),
            ),
          ),
        }),
        v.description('How soon the system must recover.'),
      ),
      {},
    ),
    guardrails: v.optional(
      v.pipe(
        listOf(probe, 'probes'),
        v.description(
          'Probes that are read throughout the run. The first one that leaves its bounds or has no data ends the run and rolls everything back. Default: none.',
        ),
      ),
      [],
    ),
    rollbacks: v.optional(
      v.pipe(
        listOf(action, 'actions'),
        v.description('Actions that always run at the very end, after the recovery phase. Default: none.'),
      ),
      [],
    ),
    afterwards: v.optional(
      v.pipe(
        listOf(probe, 'probes'),
        v.description('Probes that are read once at the end, for example the number of lost entries. Default: none.'),
      ),
      [],
    ),
  })

const loadAddress = address(
  'Address at which the load serves its report as JSON. With the query parameter `look`, the load verifies every acknowledged write first.',
)
/** The schema of experiment files. */
export const portableExperimentSchema = shape(portableProbe, httpAction, loadOf(loadAddress))
/** The schema of experiments in modules, which may also contain functions as probes, actions and load readers. */
export const experimentSchema = shape(
  anyProbe,
  anyAction,
  loadOf(
    v.union(
      [loadAddress, v.custom<LoadReader>((value) => typeof value === 'function', 'a function that returns the report')],
      'an address, or a function that returns the report',
    ),
  ),
)

/** An experiment as it is written. Fields with a default may be omitted. */
export type ExperimentInput = v.InferInput<typeof experimentSchema>
/** A checked experiment with its defaults filled in. */
export type Experiment = v.InferOutput<typeof experimentSchema>
/** The load of an experiment. */
export type LoadInput = NonNullable<Experiment['load']>
/** An action at the very end of a run. */
export type Action = v.InferOutput<typeof anyAction>
/** One step of a method: `inject` or `waitMs`. */
export type Step = Experiment['method'][number]
/** The `inject` step of a method. */
export type InjectStep = v.InferOutput<typeof injectStep>['inject']
/** An alert that must fire. */
export type ExpectedAlert = v.InferOutput<typeof expectedAlert>
/** Matches alerts by name, or by name and labels. */
export type AlertMatcher = string | v.InferOutput<typeof alertMatcher>

/** Every probe of an experiment with its path. */
export function probesOf({
  steadyState,
  guardrails,
  afterwards,
}: Pick<Experiment, 'steadyState' | 'guardrails' | 'afterwards'>): readonly {
  readonly probe: Probe
  readonly path: readonly (string | number)[]
}[] {
  const lists: readonly (readonly [readonly string[], readonly Probe[]])[] = [
    [['steadyState', 'probes'], steadyState.probes],
    [['guardrails'], guardrails],
    [['afterwards'], afterwards],
  ]
  return lists.flatMap(([list, probes]) => probes.map((probe, index) => ({ probe, path: [...list, index] })))
}
