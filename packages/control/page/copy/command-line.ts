import type { FaultInfo, InjectionRequest } from '../data/types.js'
import { visible } from '../data/visible.js'
import { noteOf, type Copied, type Place } from './place.js'

/** The flags of `chaos inject` itself. An option of a fault with such a name is typed as `--with-<name>`. */
const OWN_FLAGS: ReadonlySet<string> = new Set([
  '--for',
  '--rate',
  '--limit',
  '--limit-per-operation',
  '--skip',
  '--every',
  '--only',
  '--scope',
  '--route',
  '--user',
  '--tenant',
  '--sessions',
  '--sessions-seed',
  '--seed',
  '--id',
  '--dry-run',
  '--hold',
  '--on',
  '--url',
  '--token-file',
  '--socket',
  '--pid',
  '--name',
  '--json',
  '--help',
])

/** The request as a line for a POSIX shell: `npx chaos inject bus eventbus/delay-events --delay-ms 500 --for 30s`. */
export function commandLine(request: InjectionRequest, info: FaultInfo, place: Place): Copied {
  const { target, fault, options = {}, leaseMs, connection, ...how } = request
  if (target.startsWith('-') || fault.startsWith('-'))
    return { problem: 'The command line cannot name a target or a fault that begins with a dash.' }
  try {
    const words = [
      ...['npx', 'chaos', 'inject', target, fault],
      ...Object.entries(options).flatMap(([name, value]) => faultFlag(name, value, schemaOf(info, name))),
      ...(leaseMs === undefined ? [] : flag('--for', timeOf(leaseMs))),
      ...Object.entries(how).flatMap(([name, value]) => howFlag(name, value)),
      ...(connection === undefined ? [] : flag('--hold', 'connection')),
      ...place,
    ]
    // A terminal obeys some characters of what is pasted before the shell sees a quote: Ctrl-C and a line feed run the rest.
    if (words.some((word) => visible(word) !== word || /[\n\t]/.test(word)))
      throw new Error('The command line cannot express a control character. Copy as code instead.')
    return { text: words.map(quoted).join(' '), note: noteOf(place) }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

type Schema = Readonly<Record<string, unknown>>

function faultFlag(name: string, value: unknown, schema: Schema): readonly string[] {
  if (!/^[A-Za-z]\w{0,60}$/.test(name)) throw new Error(`The command line cannot name the option \`${name}\`.`)
  const plain = dashed(name)
  const isTaken = OWN_FLAGS.has(plain) || plain.startsWith('--no-')
  const typed = isTaken ? plain.replace('--', '--with-') : plain
  if (isListOfNames(schema)) return listFlag(typed, value)
  if (typeof value === 'number') return flag(typed, decimal(value))
  if (typeof value === 'string' && schema['type'] === 'string') return flag(typed, value)
  return flag(typed, JSON.stringify(value))
}

function howFlag(name: string, value: unknown): readonly string[] {
  if (value === undefined) return []
  if (name === 'only') return listFlag('--only', value)
  if (name === 'scope' && isObject(value)) return Object.entries(value).flatMap(([key, one]) => conditionFlag(key, one))
  return flag(dashed(name), typeof value === 'number' ? decimal(value) : wordOf(value))
}

/** One condition of a predicate on requests. */
function conditionFlag(name: string, value: unknown): readonly string[] {
  if (name === 'sessions' || name === 'seed')
    return flag(
      name === 'seed' ? '--sessions-seed' : '--sessions',
      wordOf(typeof value === 'number' ? decimal(value) : value),
    )
  return listFlag(dashed(name), value)
}

const wordOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Several values are a flag each. The command splits a value at its commas. */
function listFlag(typed: string, value: unknown): readonly string[] {
  const names = [value].flat().map(wordOf)
  if (names.some((name) => name.includes(',')))
    throw new Error('The command line cannot express a name with a comma. Copy as code instead.')
  return names.flatMap((name) => flag(typed, name))
}

/** A value that begins with a dash is joined, or it would be read as a flag. */
const flag = (typed: string, value: string): readonly string[] =>
  value.startsWith('-') || value === '' ? [`${typed}=${value}`] : [typed, value]

const dashed = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

const timeOf = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${decimal(ms)}ms`)

/** A number without an exponent, which a time on the command line cannot have. */
function decimal(value: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(20).replace(/0+$/, '')
}

function schemaOf({ options }: FaultInfo, name: string): Schema {
  const properties = options['properties']
  const schema = isObject(properties) ? properties[name] : undefined
  return isObject(schema) ? schema : {}
}

function isListOfNames(schema: Schema): boolean {
  const { type, anyOf } = schema
  return type === 'array' || (Array.isArray(anyOf) && anyOf.some((one) => isObject(one) && one['type'] === 'array'))
}

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A word for the shell. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`)
