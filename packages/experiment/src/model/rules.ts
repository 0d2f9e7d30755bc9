import { unknownName } from '@chaos/core/authoring'
import { probeTypeOf } from '../probes/probe-types.js'
import { isPossible } from '../probes/tolerance.js'
import { inWords, shown } from '../shared/answer.js'
import { seriesOf } from './alerts.js'
import { probesOf, type Experiment } from './experiment.js'
import { requestOf } from './request.js'

type Path = readonly (string | number)[]

/** One thing that is wrong with an experiment, and where. */
export interface Problem {
  readonly path: Path
  readonly message: string
}

/** What is wrong with an experiment of which each part is as the schema wants it: parts that contradict each other, or that can never work. */
export function brokenRules(experiment: Experiment): readonly Problem[] {
  return [
    ...namesThatRepeat(experiment),
    ...namesThatAreNotThere(experiment),
    ...alertsThatRepeat(experiment),
    ...alertsNamedTwice(experiment),
    ...probesThatCannotHold(experiment),
    ...requestsThatCannotBeSent(experiment),
  ]
}

function namesThatRepeat(experiment: Experiment): Problem[] {
  const seen = new Set<string>()
  return probesOf(experiment).flatMap(({ probe: { name }, path }) => {
    if (seen.has(name))
      return [{ path: [...path, 'name'], message: `Expected a name of its own, got \`${shown(name)}\` again.` }]
    seen.add(name)
    return []
  })
}

function namesThatAreNotThere({ steadyState, recovery }: Experiment): Problem[] {
  const known = steadyState.probes.map(({ name }) => name)
  const unknown = (names: readonly string[] | undefined, path: Path): Problem[] =>
    (names ?? []).flatMap((name, index) =>
      known.includes(name)
        ? []
        : [
            {
              path: [...path, index],
              message: unknownName('steady-state probe', name, known),
            },
          ],
    )
  return [
    ...unknown(steadyState.mayBreach, ['steadyState', 'mayBreach']),
    ...unknown(recovery.duringFault?.probes, ['recovery', 'duringFault', 'probes']),
  ]
}

function alertsThatRepeat({ alerts }: Experiment): Problem[] {
  const seen = new Set<string>()
  return (alerts?.mustFire ?? []).flatMap(({ name, labels = {} }, index) => {
    const key = seriesOf({ name, labels })
    if (seen.has(key))
      return [
        {
          path: ['alerts', 'mustFire', index, 'name'],
          message: `Expected each alert once, got \`${shown(name)}\` with the same labels again.`,
        },
      ]
    seen.add(key)
    return []
  })
}

/** Alerts with their name among their labels: what is read of an alert has it apart. */
function alertsNamedTwice({ alerts }: Experiment): Problem[] {
  return (['mustFire', 'mayFire'] as const).flatMap((list) =>
    (alerts?.[list] ?? []).flatMap((matcher, index) =>
      typeof matcher === 'string' || !Object.hasOwn(matcher.labels ?? {}, 'alertname')
        ? []
        : [
            {
              path: ['alerts', list, index, 'labels', 'alertname'],
              message: 'Expected labels beside the name, got `alertname`, which is the name. Leave it out.',
            },
          ],
    ),
  )
}

/** Requests that `fetch` does not take. They are sent at the very end. */
function requestsThatCannotBeSent({ rollbacks }: Experiment): Problem[] {
  return rollbacks.flatMap((action, index) => {
    if (action.type !== 'http') return []
    try {
      new Request('http://localhost/', requestOf(action))
      return []
    } catch (error) {
      return [
        {
          path: ['rollbacks', index],
          message: `Expected a request that can be sent, got one that cannot: ${inWords(error).replace(/\.?$/, '.')}`,
        },
      ]
    }
  })
}

/** Probes whose bounds no number can keep, and what their own type says of them. */
function probesThatCannotHold(experiment: Experiment): Problem[] {
  return probesOf(experiment).flatMap(({ path, probe }) => {
    const { tolerance } = probe
    const problems = probeTypeOf(probe).problems?.(probe) ?? []
    return [
      ...(tolerance === undefined || isPossible(tolerance)
        ? []
        : [
            {
              path: [...path, 'tolerance'],
              message: 'Expected bounds that a number can keep, got bounds that contradict each other.',
            },
          ]),
      ...problems.map(({ path: within, message }) => ({ path: [...path, ...within], message })),
    ]
  })
}
