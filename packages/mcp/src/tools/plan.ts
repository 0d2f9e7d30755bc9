import { isChaosError, type ScopePredicate } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import { bounded, plain } from '../shared/bounded.js'
import { howOf, injectArguments } from './inject-options.js'
import { anything, armingSchema, flag, injectionSchema, listOf, objectOf, processSchema, text } from './schemas.js'
import { defineTool } from './tool.js'
import { armingView, injectionLine, injectionView, processView } from './views.js'

/** The most injections in force that a plan shows. */
const MAX_SHOWN = 20

export const plan = defineTool({
  name: 'plan',
  title: 'Plan a fault',
  description:
    'Checks a fault without injecting it: the names, the options, the blast radius, the lease, the environment of the process, and whether a person has permitted it. Takes the arguments of inject. Says what would be hit, and what is in force on the target already. Nothing is broken.',
  effect: 'read',
  input: injectArguments,
  output: objectOf(
    {
      possible: flag('Whether inject with these arguments would be accepted now.'),
      problem: text('Why the process would refuse them.'),
      process: processSchema,
      kind: text('standing or instant.'),
      summary: text('What the fault does.'),
      blastRadius: text('Which calls it would affect, and for how long.'),
      options: anything('The options that were given.'),
      arming: armingSchema,
      inForce: listOf(injectionSchema, 'What is in force on the target now.'),
    },
    ['problem', 'kind', 'summary'],
  ),
  async run(args, { connections, arming }) {
    const process = await connections.choose(args.process)
    const { client, armed } = await connections.to(process)
    const problem = await client.check(args.target, args.fault, args.options, howOf(args)).then(
      () => undefined,
      (error: unknown) => {
        if (isChaosError(error) && error.code !== 'CHAOS_ENDPOINT_UNREACHABLE')
          return `${error.code}: ${messageOf(error, { max: 1_000 })}`
        throw error
      },
    )
    const [faults, injections] = await Promise.all([client.faults(), client.injections()])
    const info =
      faults.find(({ name }) => name === args.fault) ?? faults.find(({ name }) => name.endsWith(`/${args.fault}`))
    const state = arming.stateOf(process)
    const inForce = injections.filter(({ status, target }) => status !== 'ended' && target === args.target)
    const isPossible = problem === undefined && state.isOpen
    const radius = radiusOf(args)
    return {
      summary: [
        problem ??
          `${plain(info?.name ?? args.fault)} ${isPossible ? 'can' : 'could'} be injected into ${plain(args.target)} of process ${process.pid}: ${plain(info?.summary ?? '', 500)}`,
        radius,
        state.isOpen ? 'A person has permitted it.' : state.refusal.message,
        ...inForce.slice(0, MAX_SHOWN).map((one) => `in force: ${injectionLine(one)}`),
      ].join('\n'),
      data: {
        possible: isPossible,
        ...(problem === undefined ? {} : { problem }),
        process: processView(process),
        ...(info === undefined ? {} : { kind: info.kind, summary: plain(info.summary, 500) }),
        blastRadius: radius,
        options: bounded(args.options ?? {}),
        arming: armingView(state),
        inForce: inForce.slice(0, MAX_SHOWN).map((one) => injectionView(one, armed)),
      },
    }
  },
})

interface Radius {
  readonly leaseMs: number
  readonly rate?: number | undefined
  readonly limit?: number | undefined
  readonly limitPerOperation?: number | undefined
  readonly skip?: number | undefined
  readonly every?: number | undefined
  readonly only?: string | readonly string[] | undefined
  readonly scope?: string | ScopePredicate | undefined
}

/** Says in one sentence which calls a fault would affect. */
function radiusOf({ leaseMs, rate, limit, limitPerOperation, skip, every, only, scope }: Radius): string {
  const names =
    only === undefined
      ? ''
      : ` of ${[only]
          .flat()
          .slice(0, 10)
          .map((one) => plain(one))
          .join(', ')}`
  const parts = [
    rate === undefined ? `every call${names}` : `a share of ${rate} of the calls${names}`,
    ...(scope === undefined ? [] : [within(scope)]),
    ...(skip === undefined ? [] : [`after the first ${skip} of each operation`]),
    ...(every === undefined ? [] : [`each ${every}th of each operation`]),
    ...(limitPerOperation === undefined ? [] : [`at most ${limitPerOperation} of each operation`]),
    ...(limit === undefined ? [] : [`at most ${limit} in total`]),
  ]
  return `Blast radius: ${parts.join(', ')}, for at most ${leaseMs / 1_000} s.`
}

const within = (scope: string | ScopePredicate): string =>
  typeof scope === 'string'
    ? `in the scope ${plain(scope)}`
    : `on behalf of requests with ${plain(JSON.stringify(scope), 500)}`
