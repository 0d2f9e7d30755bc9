import type { InjectionRequest } from '../data/types.js'
import { visible } from '../data/visible.js'
import type { Copied } from './place.js'

/** The longest lease and title of an experiment. */
const MAX_LEASE_MS = 86_400_000
const MAX_TITLE = 500

/** The request as an experiment in YAML. JSON values are YAML as they stand. */
export function experiment(request: InjectionRequest): Copied {
  const { connection: _connection, target, fault, options = {}, ...how } = request
  if ((how.leaseMs ?? 0) > MAX_LEASE_MS) return { problem: 'An experiment takes a lease of at most 24 hours.' }
  if (hasVariable({ target, fault, options, how }))
    return { problem: 'An experiment reads `${…}` in a text as a variable. Copy as code instead.' }
  const step = { target, fault, ...(Object.keys(options).length === 0 ? {} : { options }), ...how }
  const lines = [
    `title: ${JSON.stringify(`${fault} on ${target}`.slice(0, MAX_TITLE))}`,
    `steadyState: # what healthy means: replace it with probes of your own`,
    `  holdForMs: 5000`,
    `  probes:`,
    `    - { name: health, type: http, url: '\${APP_URL}/healthz', status: 200 }`,
    `method:`,
    `  - inject:`,
    ...Object.entries(step).map(([name, value]) => `      ${name}: ${JSON.stringify(value)}`),
    `recovery: { withinMs: 60000 }`,
    ``,
  ]
  return {
    text: visible(lines.join('\n')),
    note: 'Save it as experiment.yaml. Run it with `npx chaos run experiment.yaml --var APP_URL=…`.',
  }
}

/** Whether a text, at any depth, would be read as a variable. */
function hasVariable(value: unknown): boolean {
  if (typeof value === 'string') return /\$\{\w+\}/.test(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasVariable)
}
