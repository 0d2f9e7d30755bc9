import { ChaosError, type FaultInfo, type TargetInfo } from '@chaos/core'
import { printable, printableJson, unknownName } from '@chaos/core/authoring'

/** A fault of a target of the app, by the name that it has in the search. */
export interface LiveKind {
  readonly target: string
  /** The fault's name, with its options if the target has several of that name. */
  readonly name: string
  readonly fault: string
  readonly options: Readonly<Record<string, unknown>>
}

/** Which faults of which targets to try. */
export interface AskedKinds {
  /** Names of targets. Empty: all. */
  readonly targets: readonly string[]
  /** `[target:]fault[=options]`. Empty: all standing faults that need no options. */
  readonly faults: readonly string[]
}

/** The kinds of a search, and the faults that are no part of it, with the reason. */
export interface ChosenKinds {
  readonly kinds: readonly LiveKind[]
  readonly leftOut: readonly string[]
}

/** The most kinds of a search. Each is an injection or two in each run. */
const MAX_KINDS = 100
const MAX_LABEL = 200

/**
 * Chooses among what an app offers.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an unknown name or an invalid option, or if nothing is left to try.
 */
export function chooseKinds(
  targets: readonly TargetInfo[],
  faults: readonly FaultInfo[],
  asked: AskedKinds,
): ChosenKinds {
  const names = targets.map(({ name }) => name)
  for (const name of asked.targets) if (!names.includes(name)) throw invalid(unknownName('target', name, names))
  const chosen = targets.filter(({ name }) => asked.targets.length === 0 || asked.targets.includes(name))
  const infos = new Map(faults.map((info) => [info.name, info]))
  const offered = chosen.flatMap((target) =>
    target.faults.flatMap((name) => {
      const info = infos.get(name)
      return info === undefined ? [] : [{ target: target.name, info }]
    }),
  )
  const leftOut: string[] = []
  const wanted: Wanted[] = []
  if (asked.faults.length > 0) wanted.push(...asked.faults.flatMap((text) => readFault(text, offered, names)))
  else
    for (const one of offered) {
      const reason = whyNot(one.info)
      if (reason === undefined) wanted.push({ ...one, options: {} })
      else leftOut.push(`${printable(one.target)}: ${printable(one.info.name)}, since ${reason}`)
    }
  if (wanted.length > MAX_KINDS)
    throw invalid(
      `The app offers ${wanted.length} faults to try, more than ${MAX_KINDS}. Choose with --target and --fault.`,
    )
  if (wanted.length === 0)
    throw invalid(
      'The app offers no standing fault that needs no options. Name faults with their options: `--fault delay-calls=\'{"delayMs":500}\'`.',
    )
  return { kinds: labelled(wanted), leftOut }
}

interface Offered {
  readonly target: string
  readonly info: FaultInfo
}

interface Wanted extends Offered {
  readonly options: Readonly<Record<string, unknown>>
}

function whyNot({ kind, options }: FaultInfo): string | undefined {
  if (kind === 'instant') return 'it happens at once, and not at a call'
  const { required } = options
  if (!Array.isArray(required) || required.length === 0) return undefined
  return `it needs options: ${required
    .slice(0, 20)
    .map((name) => printable(name))
    .join(', ')}`
}

function readFault(text: string, offered: readonly Offered[], targets: readonly string[]): readonly Wanted[] {
  const equals = text.indexOf('=')
  const place = equals < 0 ? text : text.slice(0, equals)
  const target = targets.find((name) => place.startsWith(`${name}:`))
  const fault = target === undefined ? place : place.slice(target.length + 1)
  const options = equals < 0 ? {} : optionsIn(text.slice(equals + 1), fault)
  const within = offered.filter((one) => target === undefined || one.target === target)
  const found = within.filter(({ info: { name } }) => name === fault || name.endsWith(`/${fault}`))
  if (found.length === 0)
    throw invalid(unknownName('fault', fault, [...new Set(within.map(({ info }) => shortName(info.name)))]))
  for (const { info } of found)
    if (info.kind === 'instant')
      throw invalid(`The fault ${printable(info.name)} happens at once, and not at a call. Name a standing fault.`)
  return found.map((one) => ({ ...one, options }))
}

function optionsIn(text: string, fault: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Reported below.
  }
  throw invalid(
    `Expected the options of \`--fault ${printable(fault)}=…\` to be a JSON object, got \`${printable(text)}\`.`,
  )
}

function labelled(wanted: readonly Wanted[]): readonly LiveKind[] {
  const taken = new Set<string>()
  return wanted.map(({ target, info, options }) => {
    const isAlone = wanted.filter((one) => one.target === target && one.info.name === info.name).length === 1
    const label = isAlone
      ? info.name
      : `${info.name} ${printable(printableJson(JSON.stringify(options)), { max: MAX_LABEL })}`
    let name = label
    for (let n = 2; taken.has(`${target}\0${name}`); n += 1) name = `${label} #${n}`
    taken.add(`${target}\0${name}`)
    return { target, name, fault: info.name, options }
  })
}

/** The part of a fault's name after the slash. */
export const shortName = (name: string): string => name.split('/').at(-1) ?? name

const invalid = (message: string): ChaosError => new ChaosError('CHAOS_INVALID_OPTION', message)
