// JSON Schemas of answers. Parts that a process fills in are open: what it says is cut, never trusted.

type Schema = Readonly<Record<string, unknown>>

/** An object whose fields are all there, and no others. */
export const objectOf = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
})

export const text = (description: string): Schema => ({ type: 'string', description })
export const whole = (description: string): Schema => ({ type: 'integer', description })
export const number = (description: string): Schema => ({ type: 'number', description })
export const flag = (description: string): Schema => ({ type: 'boolean', description })
export const listOf = (items: Schema, description: string): Schema => ({ type: 'array', items, description })
export const texts = (description: string): Schema => listOf({ type: 'string' }, description)
/** Data that a process or a file fills in. */
export const anything = (description: string): Schema => ({ description })

const time = (description: string): Schema => text(`${description} ISO 8601, UTC.`)

export const processSchema = objectOf({
  pid: whole('The process id. Pass it as `process`.'),
  name: text('The name that the process gave itself.'),
})

export const armingSchema = objectOf(
  {
    open: flag('Whether faults may be injected into this process now.'),
    until: time('When the permit ends.'),
    reason: text('Why not, and what a person can do about it.'),
  },
  ['until', 'reason'],
)

export const injectionSchema = objectOf(
  {
    id: text('The name of the injection, for stop_injection.'),
    fault: text('The fault.'),
    target: text('The target.'),
    status: text('arming, active, ending or ended.'),
    outcome: text('Why it ended, such as stopped or lease-expired.'),
    options: anything('The options of the fault.'),
    leaseMs: number('The longest time that it stays in force, in ms.'),
    leaseEndsAt: time('When the lease ends.'),
    seen: number('Calls within the blast radius.'),
    affected: number('Calls that the fault hit.'),
    held: number('Calls held back right now.'),
    seed: text('The seed of its random decisions.'),
    evidence: anything('What an instant fault reported: the last 10 entries.'),
    failures: texts('Failures while it was put in force or rolled back.'),
    byThisServer: flag('Whether this server armed it.'),
  },
  ['outcome'],
)

export const verdictSchema = objectOf({
  title: text('The title of the experiment.'),
  verdict: text(
    'pass, weakness-found, gate-unmet, fault-did-not-land, alert-failed, guardrail-tripped, rollback-failed or inconclusive.',
  ),
  cause: text('The cause, in one sentence.'),
  recovery: text('by-itself, assisted, not-recovered or not-observed.'),
  timeToDetectMs: { type: ['number', 'null'], description: 'From the landing of the fault to the first alert, in ms.' },
  timeToRecoverMs: { type: ['number', 'null'], description: 'From the end of the fault to the steady state, in ms.' },
  breached: anything('The probes that left their bounds.'),
  alerts: anything('Each alert with its outcome.'),
  marks: {
    type: 'object',
    additionalProperties: { type: 'number' },
    description: 'Times in ms after the fault landed.',
  },
})

export const runSchema = objectOf(
  {
    run: text('The id of the run, for experiment_status and stop_experiment.'),
    title: text('The title of the experiment.'),
    pid: whole('The process that is broken.'),
    status: text('running, done or failed.'),
    phase: text('preflight, steady-state, method, recovery, afterwards or done.'),
    progress: texts('The last lines of progress.'),
    verdict: verdictSchema,
    problem: text('Why there is no verdict.'),
    reports: text('Where the reports were written, or why not.'),
  },
  ['verdict', 'problem', 'reports'],
)
