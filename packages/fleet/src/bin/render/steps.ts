import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { ChaosError } from '@chaos/core'
import { messageOf, printable, DEFAULT_LEASE_MS } from '@chaos/core/authoring'

/** A step as it is written. The delegate checks all of it. */
export type GivenStep = Readonly<Record<string, unknown>>

/** The largest file, in bytes. */
const MAX_FILE = 4_194_304
/** The most steps of a file. */
const MAX_STEPS = 1_000
/** What the faults of Chaos Mesh are called in an experiment. */
const PREFIX = 'chaos-mesh/'

/**
 * Reads the infrastructure steps of a YAML or JSON file: one step, a list of them, or an experiment.
 *
 * @returns The steps, and how many other steps the experiment has.
 * @throws ChaosError `CHAOS_INVALID_OPTION` if the file cannot be read, or has no such step.
 */
export async function stepsOfFile(
  path: string,
): Promise<{ readonly steps: readonly GivenStep[]; readonly others: number }> {
  const { parse } = await import('yaml')
  let data: unknown
  try {
    data = parse(textOf(path), { maxAliasCount: 100 })
  } catch (error) {
    throw invalid(path, `It cannot be read as YAML or JSON: ${messageOf(error)}`, error)
  }
  const method: unknown = isFields(data) ? data['method'] : undefined
  const list: readonly unknown[] = Array.isArray(method) ? method : Array.isArray(data) ? data : [data]
  if (list.length === 0 || list.length > MAX_STEPS)
    throw invalid(path, `Expected 1 to ${MAX_STEPS} steps, got ${list.length}`)
  if (list === method) {
    const steps = list.flatMap((step, index) => infrastructureStep(step, index + 1))
    if (steps.length === 0)
      throw invalid(path, `No step of its method injects \`${PREFIX}…\`, so there is nothing to render`)
    return { steps: named(steps), others: list.length - steps.length }
  }
  const steps = list.map((step, index) => {
    if (isFields(step)) return step
    throw invalid(path, `Step ${index + 1} is no step, but \`${printable(step)}\``)
  })
  return { steps: steps.length === 1 ? steps : named(steps), others: 0 }
}

/** The step of a fault of Chaos Mesh in a method; none for any other. */
function infrastructureStep(step: unknown, number: number): readonly GivenStep[] {
  const inject = isFields(step) ? step['inject'] : undefined
  if (!isFields(inject)) return []
  const { target, fault, options, leaseMs = DEFAULT_LEASE_MS, ...rest } = inject
  if (typeof fault !== 'string' || !fault.startsWith(PREFIX)) return []
  const [foreign] = Object.keys(rest)
  if (foreign !== undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Step ${number} has \`${printable(foreign)}\`, which Chaos Mesh cannot do. Leave it out.`,
    )
  const { irreversible, ...own } = isFields(options) ? options : {}
  return [
    {
      pods: target,
      maxDurationMs: leaseMs,
      ...(irreversible === undefined ? {} : { irreversible }),
      fault: { ...own, action: fault.slice(PREFIX.length) },
    },
  ]
}

/** Gives steps without a name one of their own, since the objects of one run need different names. */
function named(steps: readonly GivenStep[]): readonly GivenStep[] {
  return steps.map((step, index) => {
    const action = isFields(step['fault']) ? step['fault']['action'] : undefined
    // The check of the step finds an action that is none.
    return typeof action === 'string' ? { name: `${action.slice(0, 30)}-${index + 1}`, ...step } : step
  })
}

function textOf(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(file)
    if (!stats.isFile()) throw new Error('it is not a file')
    if (stats.size > MAX_FILE) throw new Error(`it is larger than ${MAX_FILE} bytes`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

const isFields = (value: unknown): value is GivenStep =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function invalid(path: string, problem: string, cause?: unknown): ChaosError {
  return new ChaosError(
    'CHAOS_INVALID_OPTION',
    `The steps of ${printable(path)} cannot be used. ${problem}.`,
    cause === undefined ? {} : { cause },
  )
}
