import { span, type ExperimentResult } from '@chaos/experiment'
import type { Role } from '@chaos/fleet/controller'
import { parseExposition } from '@chaos/mini-prometheus'
import { table } from '../table.js'
import type { AgentEvent } from './agent-events.js'
import { chaos, experimentFile, resultOf, startRun, wholeRun, type Command } from './chaos-command.js'
import type { Answers } from './front.js'
import type { Member, Stage } from './stage.js'
import type { Step } from './steps.js'
import { sleep, until } from './wait.js'

/** Where the story is told. */
export interface StoryOptions {
  readonly stage: Stage
  /** Where reports go. */
  readonly reports: string
  readonly signal: AbortSignal
  /** Receives each step when it is over. */
  readonly onStep: (step: Step) => void
}

/** The number of steps that the story has. */
export const STEPS = 6

/** The exit code of `chaos` for what was refused. */
const REFUSED = 4
/** The command that only an operator may run. */
const OPEN = ['fleet', 'open', '--for', '15m', '--reason', 'the fleet demo']
/** For undo and the log line after a deadline, on a machine that does other things too, in ms. */
const ALLOWANCE_MS = 250
/** How long an outage lasts before somebody ends it, in ms. */
const OUTAGE_MS = 5_000
/** How long the front waits for an answer, and so how long an answer may be missing that will come, in ms. */
const IN_FLIGHT_MS = 2_500

/** Plays all steps, one after another. What is claimed is measured: by the front, by the agents, and by the metrics of the servers. */
export async function tellStory({ stage, reports, signal, onStep }: StoryOptions): Promise<void> {
  const { members, front, operator } = stage

  heading(
    1,
    'Three journal servers join a fleet',
    'Each is a process of its own with an agent in it, which asks Redis for news. A steady load goes to all three by turns.',
  )
  const startedAt = performance.now()
  await until(async () => (await operator.list()).length === members.length, {
    what: 'the servers to be listed in the fleet',
    withinMs: 30_000,
    signal,
  })
  console.log(
    table([
      ['server', 'process', 'instance'],
      ...members.map(({ name, process, instance }) => [name, String(process.pid), instance]),
    ]),
  )
  const listed = (await operator.list()).map(({ id }) => id)
  onStep({
    claim: 'three servers join the fleet',
    held: members.every(({ instance }) => listed.includes(instance)),
    measured: [`${listed.length} instances, ${span(performance.now() - startedAt)} after they listened`],
  })

  heading(
    2,
    'The plan: who would be affected',
    'The experiment asks for a share of 0.34. The seed chooses; the same seed chooses the same servers again.',
  )
  const planned = await planOf(stage, signal)
  const chosen = members.filter(({ instance }) => planned.instances.includes(instance))
  const written = await operator.audit(10)
  onStep({
    claim: 'the plan names the instances, and writes nothing',
    held: chosen.length === 1 && planned.instances.length === 1 && written.length === 0,
    measured: [namesOf(chosen), `${written.length} entries in the audit log`],
  })

  heading(
    3,
    'Closed by default',
    'Nobody has opened the fleet, so the experiment is refused before anything is broken. Only an operator may open it.',
  )
  const refused = await wholeRun(stage, 'a-third', reports, signal)
  const others: readonly Role[] = ['agent', 'controller', 'halter']
  const codes = []
  for (const as of others) codes.push((await chaos(stage, OPEN, { as, signal, isQuiet: true })).code)
  onStep({
    claim: 'nothing runs without a permit',
    held:
      refused.code === REFUSED &&
      codes.every((code) => code === REFUSED) &&
      members.every(({ events }) => events.length === 0),
    measured: [`exit code ${codeOf(refused)}`, `${others.join(', ')}: may not open the fleet`],
  })

  heading(
    4,
    'A third is broken',
    'The operator opens the fleet for 15 minutes. The event bus of the chosen server becomes two seconds late, for 10 s.',
  )
  await chaos(stage, OPEN, { as: 'operator', signal })
  onStep(await breakAThird(stage, { reports, signal, chosen }))

  heading(
    5,
    'The controller dies',
    'The fault is in force in every server, for a minute. Then the process that runs the experiment is killed with SIGKILL.',
  )
  const kill = await outage(stage, 'every-server', reports, signal)
  const killedAt = Date.now()
  kill.controller.process.kill('SIGKILL')
  await kill.controller.ended
  const died = await whole(stage, kill, killedAt, planned.leaseMs * 2, signal)
  const injected = await countOf('chaos_faults_injected_total', members)
  console.log(`\nEvery server is whole. One more lease (${span(planned.leaseMs)}), to see that nothing comes back.\n`)
  await sleep(planned.leaseMs, signal)
  const back = front.answersBetween(Date.now() - planned.leaseMs, Date.now() - IN_FLIGHT_MS)
  const inForce = await countOf('chaos_fault_active', members)
  const since = (await countOf('chaos_faults_injected_total', members)) - injected
  console.log(endingTable(members, kill, died, back))
  onStep({
    claim: `the controller dies: all are whole within its lease of ${planned.leaseMs} ms`,
    held:
      died.slowestMs <= planned.leaseMs + ALLOWANCE_MS &&
      inForce === 0 &&
      since === 0 &&
      members.every((one) => appliedIn(one, kill.runId) === 1) &&
      allAnswer(back),
    measured: [
      `the slowest after ${died.slowestMs} ms, with ${ALLOWANCE_MS} ms allowed for undo`,
      `one lease later: ${inForce} faults in force, ${since} injected since`,
    ],
  })

  heading(
    6,
    'A halt',
    'Every server is broken again. Somebody on call halts, with a credential that can do nothing else.',
  )
  const outcry = await outage(stage, 'every-server', reports, signal)
  // Without any wake-up an agent hears of a halt with its next read: five per lease, each up to a tenth later.
  const pollMs = (planned.leaseMs / 5) * 1.1
  await chaos(stage, ['fleet', 'halt', '--reason', 'users are hurt'], { as: 'halter', signal })
  // The command has to start first. Redis tells when it took the halt.
  const haltedAt = (await operator.audit(100)).find(({ what }) => what === 'halt')?.at ?? Number.NaN
  const halted = await whole(stage, outcry, haltedAt, planned.leaseMs, signal)
  const ended = await outcry.controller.ended
  const next = await wholeRun(stage, 'every-server', reports, signal)
  await sleep(IN_FLIGHT_MS, signal)
  const after = front.answersBetween(haltedAt + halted.slowestMs, Date.now() - IN_FLIGHT_MS)
  console.log(endingTable(members, outcry, halted, after))
  onStep({
    claim: 'a halt ends the run everywhere, and forbids the next',
    held:
      halted.slowestMs <= pollMs + ALLOWANCE_MS &&
      ended.code !== 0 &&
      next.code === REFUSED &&
      (await countOf('chaos_fault_active', members)) === 0,
    measured: [
      `the slowest ${halted.slowestMs} ms after Redis took it`,
      `exit codes: ${codeOf(ended)}, and ${codeOf(next)} of the next run`,
    ],
  })
}

function heading(number: number, title: string, words: string): void {
  console.log(`\n── ${number} of ${STEPS}: ${title}\n${words}\n`)
}

const codeOf = ({ code }: { readonly code: number | undefined }): string => String(code ?? 'a signal')

/** Shows the plan of the experiment that breaks a third. @returns Its instances, and its lease in ms */
async function planOf(
  stage: Stage,
  signal: AbortSignal,
): Promise<{ readonly instances: readonly string[]; readonly leaseMs: number }> {
  const args = ['fleet', 'plan', experimentFile('a-third'), '--alerts-url', stage.alertsUrl]
  await chaos(stage, args, { as: 'controller', signal })
  const { out } = await chaos(stage, [...args, '--json'], { as: 'controller', signal, isQuiet: true })
  const { steps } = JSON.parse(out) as {
    readonly steps: readonly { readonly instances: readonly { readonly id: string }[]; readonly leaseMs: number }[]
  }
  const [step] = steps
  if (step === undefined) throw new Error('Expected the experiment to have a step.')
  return { instances: step.instances.map(({ id }) => id), leaseMs: step.leaseMs }
}

const THIRD = 'the planned third is broken, and no other'

async function breakAThird(
  stage: Stage,
  {
    reports,
    signal,
    chosen,
  }: { readonly reports: string; readonly signal: AbortSignal; readonly chosen: readonly Member[] },
): Promise<Step> {
  const { members, front } = stage
  let result = await judged(stage, reports, signal)
  if (result !== undefined && wasTooSlow(result)) {
    console.log('\nInconclusive, since the machine was too slow: once more.\n')
    result = await judged(stage, reports, signal)
  }
  const broken = members.filter(({ events }) => events.some(({ type }) => type === 'applied'))
  const begin = broken
    .flatMap(({ events }) => events)
    .filter(({ type }) => type === 'applied')
    .at(-1)
  if (result === undefined || begin === undefined)
    return { claim: THIRD, held: false, measured: [result?.verdict.name ?? 'no result', 'no server had the fault'] }
  const endedAt = Math.max(...broken.map(({ events }) => events.find(isEndOf(begin.runId))?.at ?? Date.now()))
  // What is sent at the very end is answered in time, when the fault is over.
  const answers = front.answersBetween(begin.at, endedAt - IN_FLIGHT_MS)
  const said = await stage.operator.acks(begin.runId)
  const alerts = await Promise.all(members.map((one) => alertsOf(one, begin.at)))
  console.log(
    table([
      ['server', 'instance', 'fault', 'calls hit', 'answered in time', 'alerts of its own'],
      ...members.map(({ name, instance }, index) => {
        const { status = 'none', why, hits = 0 } = said.get(instance) ?? {}
        return [
          name,
          instance,
          why === undefined ? status : `${status} (${why})`,
          String(hits),
          shareOf(answers.get(name)),
          alerts[index] ?? '',
        ]
      }),
    ]),
  )
  const ratios = members.map((one) => ({ isBroken: broken.includes(one), ratio: ratioOf(answers.get(one.name)) }))
  const [hurt, others] = [ratios.filter(({ isBroken }) => isBroken), ratios.filter(({ isBroken }) => !isBroken)]
  return {
    claim: THIRD,
    held:
      result.verdict.name === 'pass' &&
      namesOf(broken) === namesOf(chosen) &&
      hurt.every(({ ratio }) => ratio < 0.5) &&
      others.length === 2 &&
      others.every(({ ratio }) => ratio >= 0.99),
    measured: [
      `${result.verdict.name}, the alert after ${span(result.verdict.timeToDetectMs)}`,
      ...members.map(({ name }) => `${name}: ${shareOf(answers.get(name))} answered in time`),
    ],
  }
}

async function judged(stage: Stage, reports: string, signal: AbortSignal): Promise<ExperimentResult | undefined> {
  await wholeRun(stage, 'a-third', reports, signal)
  return resultOf('a-third', reports)
}

function wasTooSlow({ verdict }: ExperimentResult): boolean {
  return verdict.name === 'inconclusive' && /machine (was |is )?too slow/i.test(verdict.cause)
}

/** A run that has broken every server, for a while. */
interface Outage {
  readonly controller: Command
  readonly runId: string
  /** What the front saw while it lasted. */
  readonly answers: ReadonlyMap<string, Answers>
}

/** Breaks every server, and waits until users have noticed. */
async function outage(stage: Stage, name: string, reports: string, signal: AbortSignal): Promise<Outage> {
  const { members, front } = stage
  const before = new Set(members.flatMap(({ events }) => events.map(({ runId }) => runId)))
  const begun = ({ events }: Member): AgentEvent | undefined =>
    events.find(({ type, runId }) => type === 'applied' && !before.has(runId))
  const controller = await startRun(stage, name, reports, signal)
  let early: string | undefined
  void controller.ended.then((ended) => (early = codeOf(ended)))
  await until(
    () => {
      if (early !== undefined) throw new Error(`The run ended with ${early} before every server had the fault.`)
      return members.every((one) => begun(one) !== undefined)
    },
    { what: 'the fault to be in force in every server', withinMs: 60_000, signal },
  )
  const from = Date.now()
  await sleep(OUTAGE_MS, signal)
  const [runId = ''] = members.flatMap((one) => begun(one)?.runId ?? [])
  return { controller, runId, answers: front.answersBetween(from, Date.now() - IN_FLIGHT_MS) }
}

/** How an outage ended in each server. */
interface Ending {
  /** How long it took from the cause, in ms, and why the agent reverted, by the name of the server. */
  readonly byServer: ReadonlyMap<string, { readonly tookMs: number; readonly why: string }>
  readonly slowestMs: number
}

/** Waits until every server is whole, and measures from the cause, by the clock of this machine, which all share. */
async function whole(
  { members }: Stage,
  { runId }: Outage,
  causeAt: number,
  withinMs: number,
  signal: AbortSignal,
): Promise<Ending> {
  const endOf = ({ events }: Member) => events.find(isEndOf(runId))
  await until(() => members.every((one) => endOf(one) !== undefined), {
    what: 'every server to be whole',
    withinMs,
    signal,
  })
  const byServer = new Map(
    members.flatMap((one) => {
      const end = endOf(one)
      return end === undefined ? [] : [[one.name, { tookMs: end.at - causeAt, why: end.why }] as const]
    }),
  )
  return { byServer, slowestMs: Math.max(...[...byServer.values()].map(({ tookMs }) => tookMs)) }
}

function endingTable(
  members: readonly Member[],
  { answers }: Outage,
  { byServer }: Ending,
  after: ReadonlyMap<string, Answers>,
): string {
  return table([
    ['server', 'answered in time: outage', 'after', 'whole after', 'because'],
    ...members.map(({ name }) => [
      name,
      shareOf(answers.get(name)),
      shareOf(after.get(name)),
      `${byServer.get(name)?.tookMs ?? '–'} ms`,
      byServer.get(name)?.why ?? '',
    ]),
  ])
}

const isEndOf =
  (runId: string) =>
  (event: AgentEvent): event is Extract<AgentEvent, { readonly type: 'reverted' }> =>
    event.type === 'reverted' && event.runId === runId

const appliedIn = ({ events }: Member, runId: string): number =>
  events.filter((event) => event.type === 'applied' && event.runId === runId).length

/** The sum of a series over all servers, by their own metrics. */
async function countOf(series: string, members: readonly Member[]): Promise<number> {
  const pages = await Promise.all(
    members.map(async ({ process }) => parseExposition(await (await fetch(`${process.url}/metrics`)).text())),
  )
  return pages
    .flat()
    .filter(({ name }) => name === series)
    .reduce((sum, { value }) => sum + value, 0)
}

/** The alerts that a server's own monitoring has fired since a time. */
async function alertsOf({ process }: Member, since: number): Promise<string> {
  type Alerts = readonly { readonly name: string; readonly firedAt?: number }[]
  const answer = await fetch(`${process.url}/alerts`)
  const { alerts, resolved } = (await answer.json()) as { readonly alerts: Alerts; readonly resolved: Alerts }
  const fired = [...alerts, ...resolved].filter(({ firedAt = 0 }) => firedAt >= since).map(({ name }) => name)
  return fired.length === 0 ? 'none' : [...new Set(fired)].join('\n')
}

const namesOf = (members: readonly Member[]): string => members.map(({ name }) => name).join(', ')
const ratioOf = ({ sent, ok }: Answers = { sent: 0, ok: 0 }): number => ok / sent
const allAnswer = (answers: ReadonlyMap<string, Answers>): boolean =>
  [...answers.values()].every((one) => ratioOf(one) >= 0.99)
const shareOf = (answers: Answers | undefined): string =>
  answers === undefined ? '–' : `${answers.ok} of ${answers.sent}`
