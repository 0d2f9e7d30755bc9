import type { Hit, Reached, Run, Subject } from '../src/search/model.js'

/** What a generated program does when a call fails. */
type Reaction = 'ignore' | 'stop' | 'retry' | 'fall back'

/** A generated program: calls in order, each with a reaction. */
export interface Program {
  readonly steps: readonly { readonly operation: string; readonly reaction: Reaction }[]
  /** What breaks it: each lists what has to have happened, as `operation#call kind`, or `operation#any kind` at whichever call. */
  readonly bugs: readonly (readonly string[])[]
}

/** What the kinds of a generated program do to a call. */
export const EFFECTS: Readonly<Record<string, { readonly passes: boolean; readonly fails: boolean }>> = {
  lost: { passes: true, fails: true },
  refused: { passes: false, fails: true },
  late: { passes: true, fails: true },
}
const KINDS = Object.keys(EFFECTS)
const SCOPE = 'program'

/** How a bug sees a hit: by its kind, or by its effect alone. */
export type Sight = (kind: string) => string
export const byKind: Sight = (kind) => kind
/** `lost` and `late` have one effect. */
export const byEffect: Sight = (kind) => (EFFECTS[kind]?.passes === true ? 'lost' : 'refused')

/** Runs a program without time or chance. */
export function subjectOf({ steps, bugs }: Program, sight: Sight): Subject {
  return (plan) => Promise.resolve(runOf(steps, bugs, sight, plan))
}

function runOf(steps: Program['steps'], bugs: Program['bugs'], sight: Sight, plan: readonly Hit[]): Run {
  const reached: Reached[] = []
  const passed: string[] = []
  const happened = new Set<string>()
  const landed = plan.map(() => false)
  const calls = new Map<string, number>()
  const call = (operation: string): boolean => {
    const number = (calls.get(operation) ?? 0) + 1
    calls.set(operation, number)
    reached.push({ point: { scope: SCOPE, target: 'target', operation, call: number }, kinds: KINDS })
    const at = plan.findIndex(({ point, times }) =>
      point.operation === operation && times === 'always'
        ? point.call <= number
        : point.operation === operation && point.call === number,
    )
    const kind = plan[at]?.kind
    if (kind !== undefined) {
      landed[at] = true
      for (const at of [number, 'any']) happened.add(`${operation}#${at} ${sight(kind)}`)
    }
    const effect = kind === undefined ? undefined : EFFECTS[kind]
    if (effect?.passes !== false) passed.push(operation)
    return effect?.fails !== true
  }
  for (const { operation, reaction } of steps) {
    if (call(operation) || reaction === 'ignore') continue
    if (reaction === 'stop') break
    if (reaction === 'fall back') call(`${operation} elsewhere`)
    else if (!call(operation)) call(operation)
  }
  const bug = bugs.findIndex((events) => events.every((event) => happened.has(event)))
  return {
    reached,
    passed,
    landed,
    outcome: bug === -1 ? { verdict: 'holds' } : { verdict: 'breaks', reason: `bug ${'abc'[bug] ?? bug}` },
    answer: '',
    ms: 0,
  }
}
