import type { Verb } from '../verb.js'
import { columns } from './columns.js'

/** The help of the command. */
export function helpOf(verbs: Readonly<Record<string, Verb>>): readonly string[] {
  return [
    'Usage: chaos fleet <verb> [options]',
    '',
    'Runs one fault, or a whole experiment, over many processes, and stops it.',
    '',
    ...columns(
      Object.entries(verbs).map(([name, { summary }]) => [`  ${name}`, summary]),
      MAX_WIDTH,
    ),
    '',
    'Options of a verb: `chaos fleet <verb> --help`. The fleet is named by --on, or by CHAOS_FLEET_URL. Runs need more:',
    '',
    ...columns(VARIABLES, MAX_WIDTH),
  ]
}

/** The help of one verb. */
export function helpOfVerb(name: string, { usage, summary, notes = [], options }: Verb): readonly string[] {
  return [
    `Usage: chaos fleet ${name}${usage === undefined ? '' : ` ${usage}`} [options]`,
    '',
    summary,
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
    ...columns(
      Object.entries(options).map(([option, { value, isMany, help }]) => [
        `  --${option}${value === undefined ? '' : ` ${value}`}`,
        isMany === true ? `${help}; may be repeated` : help,
      ]),
      MAX_WIDTH,
    ),
  ]
}

const MAX_WIDTH = 200
const VARIABLES = [
  ['  CHAOS_FLEET_URL', 'the fleet, where --on is not given; it may hold a password'],
  ['  CHAOS_FLEET_PASSWORD', 'the password of the user in the URL, where the URL has none'],
  ['  CHAOS_FLEET', 'the name of the fleet, where the URL has none'],
  ['  CHAOS_FLEET_ENVIRONMENT', 'the environment in it, where the URL has none'],
  ['  CHAOS_FLEET_KEY', 'the file with the private key that signs plans'],
  ['  CHAOS_FLEET_POLICY', 'a JSON file with the policy'],
  ['  CHAOS_FLEET_JOURNAL', 'the file that the journal is appended to'],
  ['  CHAOS_FLEET_REASON', 'why, for the audit log, where --reason is not given'],
]
