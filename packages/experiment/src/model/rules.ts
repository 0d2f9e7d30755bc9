import { unknownName } from '@chaos/core/authoring'
import { probeTypeOf } from '../probes/probe-types.js'
import { isPossible } from '../probes/tolerance.js'
import { inWords, shown } from '../shared/answer.js'
import { isMeant, seriesOf } from './alerts.js'
import { probesOf, type Experiment } from './experiment.js'
import { requestOf } from './request.js'

type Path = readonly (string | number)[]

/** One problem of an experiment, and its path. */
export interface Problem {
  readonly path: Path
  readonly message: string
}

/** Problems beyond the schema: parts that contradict each other or can never work. */
export function brokenRules(experiment: Experiment): readonly Problem[] {
  return [
    ...namesThatRepeat(experiment),
    ...namesThatAreNotThere(experiment),
    ...alertsThatRepeat(experiment),
    ...alertsNamedTwice(experiment),
    ...alertsThatContradict(experiment),
    ...probesThatCannotHold(experiment),
    ...requestsThatCannotBeSent(experiment),
  ]
}

function namesThatRepeat(experiment: Experiment): Problem[] {
  const seen = new Set<string>()
  return probesOf(experiment).flatMap(({ probe: { name }, path }) => {
    if (seen.has(name))
      return [
        { path: [...path, 'name'], message: `The name "${shown(name)}" is used twice. Give each probe its own name.` },
      ]
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
          message: `The alert "${shown(name)}" is listed twice with the same labels. Remove one entry.`,
        },
      ]
    seen.add(key)
    return []
  })
}

/** Alerts with `alertname` among their labels. Readers keep the name separate, so such an alert would never match. */
function alertsNamedTwice({ alerts }: Experiment): Problem[] {
  return (['mustFire', 'mayFire', 'mustNotFire'] as const).flatMap((list) =>
    (alerts?.[list] ?? []).flatMap((matcher, index) =>
      typeof matcher === 'string' || !Object.hasOwn(matcher.labels ?? {}, 'alertname')
        ? []
        : [
            {
              path: ['alerts', list, index, 'labels', 'alertname'],
              message: 'The label `alertname` repeats the name of the alert. Remove it.',
            },
          ],
    ),
  )
}

/** Alerts that the experiment expects or allows, and that would end its run. */
function alertsThatContradict({ alerts }: Experiment): Problem[] {
  return (['mustFire', 'mayFire'] as const).flatMap((list) =>
    (alerts?.[list] ?? []).flatMap((entry, index) => {
      const { name, labels = {} } = typeof entry === 'string' ? { name: entry } : entry
      return alerts?.mustNotFire.some((matcher) => isMeant({ name, labels }, matcher)) === true
        ? [
            {
              path: ['alerts', list, index],
              message: `The alert "${shown(name)}" is also in \`mustNotFire\`, which ends the run. Remove one entry.`,
            },
          ]
        : []
    }),
  )
}

/** Requests that `fetch` rejects. The run would otherwise find out only at its very end. */
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
          message: `The request cannot be sent: ${inWords(error).replace(/\.?$/, '.')}`,
        },
      ]
    }
  })
}

/** Probes whose bounds contradict each other, and problems that the probe type itself reports. */
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
              message: 'The bounds contradict each other: no number is within all of them.',
            },
          ]),
      ...problems.map(({ path: within, message }) => ({ path: [...path, ...within], message })),
    ]
  })
}
