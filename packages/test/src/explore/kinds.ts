import { ChaosError, type Fault } from '@chaos/core'
import { messageOf, printable, printableJson, unknownName } from '@chaos/core/authoring'

/** What is known of a fault of a target. */
export interface KindInfo {
  readonly target: string
  /** The fault's name, with its options if the target has several of that name. */
  readonly name: string
  readonly fault: Pick<Fault<object>, 'name' | 'kind' | 'options' | 'portable'>
  /** Whether the fault was given as its factory, so that its options are the defaults. */
  readonly isDefault: boolean
  /** Whether calls are told apart by their arguments, with `keyOf`. */
  readonly isKeyed: boolean
}

/** A fault of a target, by the name that it has in the search. */
export interface Kind extends KindInfo {
  readonly fault: Fault<object>
}

/** The kind that sees the calls of a target at which instant faults happen: its first standing one. */
export function carrierOf<One extends KindInfo>(target: string, kinds: readonly One[]): One | undefined {
  return kinds.find((kind) => kind.target === target && kind.fault.kind === 'standing')
}

/** The most faults of one target. */
const MAX_KINDS = 50
const MAX_LABEL = 200
const EXPECTED = 'faults, or factories of faults that need no options'

/**
 * Reads the faults of each target.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an unknown target, something that is not a fault, or instant faults alone.
 */
export function kindsOf(
  { faults, keyOf }: { readonly faults: Readonly<Record<string, unknown>>; readonly keyOf?: unknown },
  targets: readonly string[],
): readonly Kind[] {
  const isKeyed = keyOf !== undefined
  const kinds = Object.entries(faults).flatMap(([target, given]) => {
    if (!targets.includes(target))
      throw new ChaosError('CHAOS_INVALID_OPTION', `\`faults\` of explore: ${unknownName('target', target, targets)}`)
    if (!Array.isArray(given) || given.length > MAX_KINDS)
      throw invalid(target, `a list of at most ${MAX_KINDS} faults`)
    const made = given.map((one: unknown) => faultOf(target, one))
    return named(target, made).map((kind, n) => ({ ...kind, isKeyed, isDefault: typeof given[n] === 'function' }))
  })
  const [first] = kinds
  if (first !== undefined && kinds.every(({ fault }) => fault.kind === 'instant'))
    throw invalid(
      first.target,
      'at least one standing fault, or another target to have one, which sees the calls at which instant faults happen',
    )
  return kinds
}

function faultOf(target: string, given: unknown): Fault<object> {
  const fault =
    typeof given === 'function' && 'catalog' in given ? made(target, given as unknown as () => unknown) : given
  if (typeof fault === 'object' && fault !== null && 'inject' in fault && 'target' in fault)
    return fault as Fault<object>
  throw invalid(target, EXPECTED)
}

function made(target: string, factory: () => unknown): unknown {
  try {
    return factory()
  } catch (error) {
    throw invalid(target, EXPECTED, `Call the factory with its options: ${messageOf(error)}`, error)
  }
}

function invalid(target: string, expected: string, advice?: string, cause?: unknown): ChaosError {
  const message = `Expected \`faults.${printable(target)}\` of explore to be ${expected}.`
  return new ChaosError('CHAOS_INVALID_OPTION', advice === undefined ? message : `${message} ${advice}`, { cause })
}

function named(target: string, faults: readonly Fault<object>[]): readonly Omit<Kind, 'isDefault' | 'isKeyed'>[] {
  const taken = new Set<string>()
  return faults.map((fault) => {
    const isAlone = faults.filter(({ name }) => name === fault.name).length === 1
    const label = isAlone ? fault.name : `${fault.name} ${optionsText(fault)}`
    let name = label
    for (let n = 2; taken.has(name); n += 1) name = `${label} #${n}`
    taken.add(name)
    return { target, name, fault }
  })
}

function optionsText({ options }: Fault<object>): string {
  return printable(
    printableJson(JSON.stringify(options, (_key, value: unknown) => (typeof value === 'function' ? '…' : value))),
    {
      max: MAX_LABEL,
    },
  )
}
