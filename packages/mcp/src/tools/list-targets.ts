import { option, unknownName } from '@chaos/core/authoring'
import { ChaosError, type FaultInfo } from '@chaos/core'
import { bounded, plain } from '../shared/bounded.js'
import { processOption } from './process-option.js'
import { anything, armingSchema, listOf, number, objectOf, processSchema, text, texts } from './schemas.js'
import { defineTool } from './tool.js'
import { armingView, processView } from './views.js'

/** The most targets and faults in an answer, and the most values in the schema of one fault's options. */
const MAX_TARGETS = 100
const MAX_FAULTS = 200
const MAX_SCHEMA_VALUES = 500

const faultSchema = objectOf(
  {
    name: text('The full name of the fault.'),
    kind: text('standing (in force until it ends) or instant (happens once).'),
    summary: text('What it does.'),
    optionNames: texts('The names of its options.'),
    options: anything('The JSON Schema of its options. Only if `target` was given.'),
  },
  ['options'],
)

export const listTargets = defineTool({
  name: 'list_targets',
  title: 'List targets and faults',
  description:
    'Lists the targets of a process and the faults that each accepts. With `target`, also the JSON Schema of the options of each fault; with `fault` too, of that fault alone.',
  effect: 'read',
  input: {
    process: processOption,
    target: option.optional(option.text('Only this target, with the option schemas of its faults.', 1_000)),
    fault: option.optional(option.text('Only this fault of the target.', 1_000)),
  },
  output: objectOf(
    {
      process: processSchema,
      environment: text('The environment that the process says it runs in.'),
      refusal: text('Why the process itself refuses faults right now.'),
      maxLeaseMs: number('The longest lease that the process allows, in ms.'),
      arming: armingSchema,
      targets: listOf(objectOf({ name: text('The target.'), faults: texts('Names of its faults.') }), 'The targets.'),
      faults: listOf(faultSchema, 'The faults.'),
    },
    ['environment', 'refusal'],
  ),
  async run({ process: asked, target, fault }, { connections, arming }) {
    const process = await connections.choose(asked)
    const { client } = await connections.to(process)
    const [info, targets, faults] = await Promise.all([client.info(), client.targets(), client.faults()])
    const shown = target === undefined ? targets : targets.filter(({ name }) => name === target)
    if (shown.length === 0 && target !== undefined)
      throw new ChaosError(
        'CHAOS_UNKNOWN_TARGET',
        unknownName(
          'target',
          target,
          targets.map(({ name }) => name),
        ),
      )
    const accepted = new Set(shown.flatMap((one) => one.faults))
    const fitting = faults.filter(({ name }) => accepted.has(name) && (fault === undefined || isNamed(name, fault)))
    if (fitting.length === 0 && fault !== undefined)
      throw new ChaosError('CHAOS_UNKNOWN_FAULT', unknownName('fault', fault, [...accepted]))
    const listed = fitting.slice(0, MAX_FAULTS).map((one) => faultView(one, target !== undefined))
    return {
      summary: [
        `Process ${process.pid} (${plain(process.name)}), environment ${plain(info.environment ?? 'not set')}:`,
        ...shown.slice(0, MAX_TARGETS).map(
          (one) =>
            `${plain(one.name)}: ${one.faults
              .slice(0, MAX_FAULTS)
              .map((name) => plain(name))
              .join(', ')}`,
        ),
        ...(target === undefined ? ['Pass `target` for the options of its faults.'] : []),
      ].join('\n'),
      data: {
        process: processView(process),
        ...(info.environment === undefined ? {} : { environment: plain(info.environment) }),
        ...(info.refusal === undefined ? {} : { refusal: plain(info.refusal, 500) }),
        maxLeaseMs: info.maxLeaseMs,
        arming: armingView(arming.stateOf(process)),
        targets: shown.slice(0, MAX_TARGETS).map((one) => ({
          name: plain(one.name),
          faults: one.faults.slice(0, MAX_FAULTS).map((name) => plain(name)),
        })),
        faults: listed,
      },
    }
  },
})

const isNamed = (full: string, asked: string): boolean => full === asked || full.slice(full.indexOf('/') + 1) === asked

function faultView({ name, kind, summary, options }: FaultInfo, isWhole: boolean) {
  const { properties } = options
  const names = typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
  return {
    name: plain(name),
    kind,
    summary: plain(summary, 500),
    optionNames: names.slice(0, 100).map((one) => plain(one)),
    ...(isWhole ? { options: bounded(options, { maxText: 1_000, maxValues: MAX_SCHEMA_VALUES }) } : {}),
  }
}
