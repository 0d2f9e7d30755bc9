import { readFileSync, statSync } from 'node:fs'
import { ChaosError } from '@chaos/core'
import { checkOptions, messageOf, option, optionsSchema, printable, unknownName } from '@chaos/core/authoring'
import { placeId, pointId, pointText, type Hit, type Run } from '../search/model.js'
import { quoted } from '../shell/quoted.js'
import type { KindInfo } from './kinds.js'

/** A finding as data: `CHAOS_REPLAY`, its JSON or the file of it, runs the test with just these hits. */
export interface Replay {
  readonly version: 1
  /** The name of the test. */
  readonly name: string
  readonly hits: readonly Hit[]
  /** Why the test broke. */
  readonly reason: string
}

/** The environment variable that holds a finding, or the name of its file. */
const REPLAY_VARIABLE = 'CHAOS_REPLAY'
const MAX_BYTES = 1_000_000
const MAX_HITS = 1_000

const text = (description: string) => option.text(description, 20_000)
const fileSchema = optionsSchema({
  version: option.count('Version of the format.', 1, 1),
  name: text('Name of the test.'),
  hits: option.list(option.object('A planned fault.'), MAX_HITS, 'hits'),
  reason: option.optional(option.value('Why the test broke.')),
})
const hitSchema = optionsSchema({
  point: option.object('The call to hit.'),
  kind: text('Name of the fault.'),
  times: option.optional(option.oneOf(['always'], 'Whether later calls are hit as well.')),
})
const pointSchema = optionsSchema({
  scope: option.matching(/^[^]{0,20000}$/, 'the path of a scope, or an empty string', 'Path of the scope.'),
  target: text('Name of the target.'),
  at: option.optional(text('Name of the target whose call it is.')),
  operation: text('Name of the operation.'),
  key: option.optional(text('Key of the arguments.')),
  call: option.count('Number of the call.', 1),
})

/**
 * Reads the finding that `CHAOS_REPLAY` holds as JSON, or whose file it names.
 *
 * @returns `undefined` if there is none, or it is of another test.
 * @throws ChaosError `CHAOS_INVALID_OPTION` if the file cannot be read or is not a finding.
 */
export function replayFor(name: string, given: string | undefined = process.env[REPLAY_VARIABLE]): Replay | undefined {
  if (given === undefined || given === '') return undefined
  const replay = readReplay(given)
  return replay.name === name ? replay : undefined
}

/** The setting of the environment that replays a finding, as a word of a command line. */
export function replaySetting({ version, name, hits }: Replay): string {
  return `${REPLAY_VARIABLE}=${quoted(JSON.stringify({ version, name, hits }))}`
}

function readReplay(given: string): Replay {
  try {
    return asReplay(JSON.parse(isJson(given) ? given : textOf(given)))
  } catch (error) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`${REPLAY_VARIABLE}\` to be a finding or to name its file, got \`${printable(given)}\`: ${messageOf(error, { max: 1_000 })}`,
      { cause: error },
    )
  }
}

const isJson = (given: string): boolean => given.trimStart().startsWith('{')

function textOf(file: string): string {
  const stat = statSync(file)
  if (!stat.isFile()) throw new Error('it is no regular file')
  if (stat.size > MAX_BYTES) throw new Error(`the file is larger than ${MAX_BYTES} bytes`)
  return readFileSync(file, 'utf8')
}

/** Checks a finding that is read as data. @throws ChaosError `CHAOS_INVALID_OPTION` */
export function asReplay(value: unknown): Replay {
  const { name, hits: given, reason } = checkOptions(fileSchema, value, 'the finding')
  const hits = given.map(hitOf)
  if (hits.length === 0) throw invalid('The finding has no hits: there is nothing to replay.')
  if (new Set(hits.map(({ point, kind }) => placeId(point, kind))).size < hits.length)
    throw invalid('The finding hits one call twice with one fault.')
  return { version: 1, name, reason: typeof reason === 'string' ? reason : '', hits }
}

function hitOf(value: unknown): Hit {
  const { point, kind, times } = checkOptions(hitSchema, value, 'a hit')
  const { key, at, ...place } = checkOptions(pointSchema, point, 'a point')
  return {
    point: { ...place, ...(at !== undefined && { at }), ...(key !== undefined && { key }) },
    kind,
    ...(times !== undefined && { times }),
  }
}

const invalid = (message: string): ChaosError => new ChaosError('CHAOS_INVALID_OPTION', message)

/**
 * Why a finding is not reproduced, in sentences, if some of its faults did not land.
 *
 * @param kinds The faults that there are.
 */
export function notReproduced(
  { hits }: Pick<Replay, 'hits'>,
  { landed, reached }: Pick<Run, 'landed' | 'reached'>,
  kinds: readonly Named[],
): string | undefined {
  const made = new Set(reached.map(({ point }) => pointId(point)))
  const missed = hits.filter((_, n) => landed[n] !== true)
  if (missed.length === 0) return undefined
  return missed.map((hit) => whyMissed(hit, made.has(pointId(hit.point)), kinds)).join(' ')
}

/** A fault of a target, by the name that it has in the search. */
type Named = Pick<KindInfo, 'target' | 'name'>

function whyMissed({ point, kind }: Hit, isMade: boolean, kinds: readonly Named[]): string {
  const own = kinds.filter(({ target }) => target === point.target).map(({ name }) => name)
  if (own.length === 0) return unknownName('target', point.target, [...new Set(kinds.map((one) => one.target))])
  if (!own.includes(kind)) return `${printable(point.target)}: ${unknownName('fault', kind, own)}`
  return `The call ${printable(pointText(point), { max: 1_000 })} was ${isMade ? `let pass by ${printable(kind)}` : 'not made'}.`
}
