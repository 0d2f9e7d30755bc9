import type { Preview } from '../../controller/preview.js'
import { isForRequests } from '../../plan/run-scope.js'
import { columns } from './columns.js'
import { span } from './span.js'
import { windowJson, windowWords, type Window } from './window.js'

/** A step of a method, as it would be run. */
export type PreviewedStep =
  | (Preview & { readonly target: string; readonly fault: string })
  | { readonly waitMs: number; readonly refusals: readonly [] }

/** What a command would do. */
export interface CommandPreview {
  readonly fleet: string
  readonly environment: string
  /** The title of the experiment. */
  readonly title: string | undefined
  readonly window: Window
  readonly keyId: string
  readonly steps: readonly PreviewedStep[]
  /** What refuses the experiment as a whole. */
  readonly refusals: readonly string[]
}

/** Shows what a command would do: each step with its exact instances, and everything that refuses it. */
export function previewLines({
  fleet,
  environment,
  title,
  window,
  keyId,
  steps,
  refusals,
}: CommandPreview): readonly string[] {
  const count =
    refusals.length + steps.reduce((sum, step) => sum + step.refusals.length, 0) + (window.isPermitted ? 0 : 1)
  return [
    `fleet ${fleet}, environment ${environment}: ${windowWords(window)}`,
    ...(title === undefined ? [] : [`experiment: ${title}`]),
    ...steps.flatMap((step, index) => ['', ...stepLines(step, index + 1)]),
    '',
    ...(window.isPermitted
      ? []
      : [
          `refused: runs are not permitted (${windowWords(window)}). \`chaos fleet open --for 1h --reason "…"\` permits them.`,
        ]),
    ...refusals.map((why) => `refused: ${why}`),
    count === 0
      ? `nothing refuses it for the key ${keyId}. Each instance checks the plan for itself, too. Nothing was touched.`
      : `${count} ${count === 1 ? 'reason refuses' : 'reasons refuse'} it. Nothing was touched.`,
  ]
}

function stepLines(step: PreviewedStep, number: number): readonly string[] {
  if ('waitMs' in step) return [`step ${number}: wait ${span(step.waitMs)}`]
  const { target, fault, planned, refusals } = step
  return [
    `step ${number}: ${planned?.plan.fault ?? fault} into ${target}`,
    ...(planned === undefined ? [] : planLines(planned)),
    ...refusals.map((why) => `  refused: ${why}`),
  ]
}

function planLines({ plan, selection, kind }: NonNullable<Preview['planned']>): readonly string[] {
  const { instances, quorum, leaseMs, maxDurationMs, caps, seed, options, how, candidates } = plan
  const services = Object.entries(candidates).map(
    ([name, count]) => `${plan.selected[name] ?? 0} of ${count} of ${name}`,
  )
  const time = kind === 'instant' ? 'once' : `for at most ${span(maxDurationMs)}`
  return [
    `  ${time}, lease ${span(leaseMs)}; ${quorum} of ${instances.length} instances must be ready`,
    `  instances: ${services.join(', ')} (${selection.matched} match; seed ${seed})`,
    ...fieldLine('options', options),
    ...fieldLine('within each instance', isForRequests(plan) ? { ...how, scope: 'request' } : how),
    ...fieldLine('caps', caps),
    ...columns(
      selection.instances.map(({ id, service, labels }) => [
        `    ${id}`,
        service,
        Object.entries(labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(','),
      ]),
    ),
  ]
}

const fieldLine = (name: string, fields: object): readonly string[] =>
  Object.keys(fields).length === 0 ? [] : [`  ${name}: ${JSON.stringify(fields)}`]

/** What a command would do, as JSON. */
export const previewJson = ({ window, steps, title, ...rest }: CommandPreview) => ({
  ...rest,
  title: title ?? null,
  window: windowJson(window),
  steps: steps.map((step) => {
    if ('waitMs' in step) return step
    const { planned, refusals, target, fault } = step
    if (planned === undefined) return { target, fault, refusals }
    const { plan, selection, kind } = planned
    return {
      target,
      fault: plan.fault,
      kind,
      options: plan.options,
      how: plan.how,
      instances: selection.instances.map(({ id, service, labels }) => ({ id, service, labels })),
      candidates: plan.candidates,
      selected: plan.selected,
      quorum: plan.quorum,
      leaseMs: plan.leaseMs,
      maxDurationMs: plan.maxDurationMs,
      caps: plan.caps,
      seed: plan.seed,
      refusals,
    }
  }),
})
