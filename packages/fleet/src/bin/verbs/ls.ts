import type { InstanceRecord } from '../../plan/instance.js'
import { systemClock } from '@chaos/core/authoring'
import { usage } from '../arguments/arguments.js'
import { fleetOptions } from '../arguments/common-options.js'
import { fleetOf, withTransport } from '../arguments/fleet.js'
import { EXIT } from '../process/exit-codes.js'
import type { Verb } from '../verb.js'
import { instanceLines } from '../views/instances.js'
import { plansOf } from '../views/plans-of-runs.js'
import { windowJson } from '../views/window.js'

/** The most instances that are shown unless more are asked for. */
const DEFAULT_LIMIT = 100
/** The most instances that may be asked for. */
const MAX_LIMIT = 100_000

/** Lists the instances of a fleet. */
export const ls: Verb = {
  summary: 'lists the instances: what they are, what can be broken in them, and which run they belong to',
  notes: [
    'Needs the credential of a controller or of an operator. Shows one environment if the URL names one, else all.',
  ],
  options: {
    ...fleetOptions,
    service: { value: '<name>', help: 'only the instances of this service' },
    limit: { value: '<count>', help: `the most instances that are shown (default: ${DEFAULT_LIMIT})` },
  },
  async run(args, io) {
    const limit = args.number('limit') ?? DEFAULT_LIMIT
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIMIT)
      throw usage(`Expected \`--limit\` to be a whole number from 1 to ${MAX_LIMIT}.`)
    const service = args.text('service')
    const address = fleetOf(args)
    const { environment, fleet } = address
    const [records, runs, window] = await withTransport(address, (transport) =>
      Promise.all([transport.list(), transport.runs(), transport.status()]),
    )
    const runOf = new Map<string, string>()
    for (const { id, plan } of plansOf(runs)) for (const instance of plan?.instances ?? []) runOf.set(instance, id)
    const matching = records
      .filter((one) => environment === undefined || one.environment === environment)
      .filter((one) => service === undefined || one.service === service)
      .sort((a, b) => compare(a.service, b.service) || compare(a.id, b.id))
    const now = systemClock.now()
    const shown = matching.slice(0, limit).map((record) => ({
      ...record,
      run: runOf.get(record.id) ?? null,
      ageMs: ageOf(record, now),
    }))
    if (args.isOn('json'))
      io.json({
        fleet,
        environment: environment ?? null,
        window: windowJson(window),
        total: matching.length,
        instances: shown,
      })
    else for (const line of instanceLines({ fleet, environment, window, all: matching, shown })) io.out(line)
    return EXIT.ok
  },
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const ageOf = ({ joinedAt }: InstanceRecord, now: number): number | null =>
  joinedAt === undefined ? null : Math.max(0, now - joinedAt)
