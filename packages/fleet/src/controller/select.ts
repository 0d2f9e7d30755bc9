import { ChaosError } from '@chaos/core'
import { printable, unknownName } from '@chaos/core/authoring'
import { MAX_INSTANCES, MAX_NAME } from '../plan/check-plan.js'

/** A target of a fleet, as an experiment names it. */
export interface FleetTarget {
  /** The name of the target in each instance. */
  readonly target: string
  readonly service?: string
  readonly labels: Readonly<Record<string, string>>
  readonly share?: number
  readonly cap?: number
  readonly seed?: string
}

/** The longest text of a target. */
const MAX_TEXT = 1_000
/** The most parts in the brackets. */
const MAX_PARTS = 50

const NAME = /^[\w.-]{1,100}$/
/** Labels of Kubernetes have a prefix: `app.kubernetes.io/name`. */
const LABEL = /^[\w./-]{1,200}$/
const SHARE = /^(?:0?\.\d{1,9}|1(?:\.0{1,9})?)$/
const CAP = /^[1-9]\d{0,4}$/

/**
 * Reads the target of a fleet: `db`, or `db[service=journal,zone=eu-1,share=0.33,cap=5,seed=a]`.
 *
 * `service`, `share`, `cap` and `seed` have their own meaning. Every other name is that of a label, which each instance must have
 * with this value. A value holds no comma, bracket or equals sign.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if the text is not of this form, or longer than 1,000 characters.
 */
export function parseTarget(text: string): FleetTarget {
  if (text.length > MAX_TEXT) throw invalid(text, `It is longer than ${MAX_TEXT} characters`)
  const bracket = text.indexOf('[')
  const target = bracket === -1 ? text : text.slice(0, bracket)
  if (!NAME.test(target))
    throw invalid(text, `Expected the name of a target (letters, digits or ._-) before the brackets, got "${target}"`)
  if (bracket === -1) return { target, labels: {} }
  if (!text.endsWith(']')) throw invalid(text, 'It does not end with `]`')
  const inside = text.slice(bracket + 1, -1)
  if (/[[\]]/.test(inside)) throw invalid(text, 'It has brackets within the brackets')
  const parts = inside.split(',')
  if (parts.length > MAX_PARTS) throw invalid(text, `It has more than ${MAX_PARTS} parts in the brackets`)

  const given = new Map<string, string>()
  for (const part of parts) {
    const [name = '', value, ...rest] = part.split('=').map((side) => side.trim())
    if (value === undefined || rest.length > 0 || name === '' || value === '')
      throw invalid(text, `Expected \`name=value\` between commas, got "${part}"`)
    if (given.has(name)) throw invalid(text, `It has "${name}" twice`)
    if (!LABEL.test(name)) throw invalid(text, `"${name}" is not the name of a label (letters, digits or ._/-)`)
    if (value.length > MAX_NAME) throw invalid(text, `The value of "${name}" is longer than ${MAX_NAME} characters`)
    given.set(name, value)
  }
  const take = (name: string): string | undefined => {
    const value = given.get(name)
    given.delete(name)
    return value
  }
  const [service, share, cap, seed] = ['service', 'share', 'cap', 'seed'].map(take)
  return {
    target,
    labels: Object.fromEntries(given),
    ...(service === undefined ? {} : { service }),
    ...(share === undefined ? {} : { share: shareIn(text, share) }),
    ...(cap === undefined ? {} : { cap: capIn(text, cap) }),
    ...(seed === undefined ? {} : { seed }),
  }
}

function shareIn(text: string, given: string): number {
  const share = SHARE.test(given) ? Number(given) : 0
  if (share > 0) return share
  throw invalid(text, `Expected \`share\` to be a number above 0 and at most 1, got "${given}"`)
}

function capIn(text: string, given: string): number {
  const cap = CAP.test(given) ? Number(given) : 0
  if (cap > 0 && cap <= MAX_INSTANCES) return cap
  throw invalid(text, `Expected \`cap\` to be a whole number from 1 to ${MAX_INSTANCES}, got "${given}"`)
}

function invalid(text: string, problem: string): ChaosError {
  return new ChaosError(
    'CHAOS_INVALID_OPTION',
    `The target \`${printable(text)}\` cannot be read. ${printable(problem, { max: 500 })}. Write \`db\` or \`db[service=journal,zone=eu-1,share=0.1]\`.`,
  )
}

/**
 * Finds the full name of a fault by its full or short name.
 *
 * @param known The full names of the faults of the target.
 * @throws ChaosError `CHAOS_UNKNOWN_FAULT` if no fault has the name, or several have the short name.
 */
export function faultNamed(name: string, target: string, known: readonly string[]): string {
  if (known.includes(name)) return name
  const shortOf = (full: string): string => full.slice(full.indexOf('/') + 1)
  const found = known.filter((full) => shortOf(full) === name)
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  throw new ChaosError(
    'CHAOS_UNKNOWN_FAULT',
    found.length > 1
      ? `The fault "${printable(name)}" of target "${printable(target)}" is ambiguous: ${found.map((full) => printable(full)).join(', ')}. Use a full name.`
      : unknownName(`fault of target "${printable(target)}"`, name, known, known.map(shortOf)),
  )
}
