import { listed } from '@chaos/core/authoring'
import type { InstanceRecord } from '../../plan/instance.js'
import { columns } from './columns.js'
import { span } from './span.js'
import { windowWords, type Window } from './window.js'

/** An instance as a list shows it. */
export interface ShownInstance extends InstanceRecord {
  readonly run: string | null
  readonly ageMs: number | null
}

/** The most services whose targets are listed. */
const MAX_SERVICES = 50
/** The most targets that are listed of a service. */
const MAX_TARGETS = 50

/** Shows the instances of a fleet, and below what can be broken in each service. */
export function instanceLines({
  fleet,
  environment,
  window,
  all,
  shown,
}: {
  readonly fleet: string
  readonly environment: string | undefined
  readonly window: Window
  readonly all: readonly InstanceRecord[]
  readonly shown: readonly ShownInstance[]
}): readonly string[] {
  const where = environment === undefined ? fleet : `${fleet}, environment ${environment}`
  const head = `fleet ${where}: ${windowWords(window)}`
  if (all.length === 0) return [head, 'no instances']
  return [
    head,
    '',
    ...columns([
      ['SERVICE', 'INSTANCE', 'ENVIRONMENT', 'STATE', 'AGE', 'RUN', 'LABELS'],
      ...shown.map(({ service, id, environment: own, state, ageMs, run, labels }) => [
        service,
        id,
        own,
        state,
        ageMs === null ? '-' : span(ageMs),
        run ?? '-',
        Object.entries(labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(','),
      ]),
    ]),
    ...(all.length > shown.length ? [`and ${all.length - shown.length} more; show them with --limit`] : []),
    '',
    ...targetLines(all),
  ]
}

/** The targets of each service, with all faults that some instance has. */
function targetLines(all: readonly InstanceRecord[]): readonly string[] {
  const services = new Map<string, Map<string, Set<string>>>()
  for (const { service, targets } of all) {
    const known = services.get(service) ?? new Map<string, Set<string>>()
    services.set(service, known)
    for (const [name, faults] of Object.entries(targets)) {
      const of = known.get(name) ?? new Set<string>()
      known.set(name, of)
      for (const fault of faults) of.add(fault)
    }
  }
  const lines = [...services]
    .slice(0, MAX_SERVICES)
    .flatMap(([service, targets]) => [
      ...[...targets]
        .slice(0, MAX_TARGETS)
        .map(([name, faults]) => `${name}[service=${service}]: ${listed([...faults])}`),
      ...(targets.size > MAX_TARGETS ? [`  and ${targets.size - MAX_TARGETS} more targets of ${service}`] : []),
    ])
  return services.size > MAX_SERVICES
    ? [...lines, `and the targets of ${services.size - MAX_SERVICES} more services`]
    : lines
}
