import { portableInjectOptions, type OptionsInput } from '@chaos/core/authoring'
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
  text,
} from '../shared/schemas.js'

/** Gives the report of a load; with `look`, after it has looked for every acknowledged write. */
export type LoadReader = (options: { readonly look: boolean }) => LoadReport | Promise<LoadReport>

/** Most steps of a method. */
const MAX_STEPS = 1_000

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
const {
  id: _id,
  leaseMs: _leaseMs,
  ...blastRadius
} = portableInjectOptions as unknown as {
  [Name in keyof typeof portableInjectOptions]: v.OptionalSchema<
    v.GenericSchema<NonNullable<OptionsInput<typeof portableInjectOptions>[Name]>>,
    undefined
  >
}

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
/** The load an experiment counts on. */
export type LoadInput = NonNullable<Experiment['load']>
/** A change that is made at the very end of a run. */
export type Action = v.InferOutput<typeof anyAction>
/** One step of a method. */
export type Step = Experiment['method'][number]
/** The step that puts a fault in force. */
export type InjectStep = v.InferOutput<typeof injectStep>['inject']
/** An alert that must fire. */
export type ExpectedAlert = v.InferOutput<typeof expectedAlert>
/** An alert that is meant: by its name, or by name and labels. */
export type AlertMatcher = string | v.InferOutput<typeof alertMatcher>

/** Every probe of an experiment, and where it stands. */
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
