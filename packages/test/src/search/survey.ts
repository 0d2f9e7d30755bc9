import { pointId, type Outcome, type Point, type Reached, type Run, type Subject } from './model.js'

/** What two runs without a fault showed. */
export interface Survey {
  readonly first: Run
  /** The points that both runs reached. */
  readonly stable: readonly Reached[]
  /** The points that one run reached and the other did not. */
  readonly unstable: readonly Reached[]
  /** Why the test cannot be explored: it breaks without a fault. */
  readonly unhealthy: { readonly run: 1 | 2; readonly reason: string } | undefined
}

/** Runs the test twice without a fault. A point that is not there both times names no call that could be found again. */
export async function survey(subject: Subject): Promise<Survey> {
  const first = await subject([])
  if (first.outcome.verdict === 'breaks') return unhealthy(first, 1, first.outcome)
  const second = await subject([])
  if (second.outcome.verdict === 'breaks') return unhealthy(first, 2, second.outcome)
  const late = second.late?.find(({ hits }) => hits.length === 0)
  if (late !== undefined)
    return unhealthy(first, 1, { reason: `After it had ended, an error was not handled: ${late.reason}` })
  const [inFirst, inSecond] = [first, second].map((run) => new Set(run.reached.map(idOf)))
  const isIn = (ids: ReadonlySet<string> | undefined, one: Reached): boolean => ids?.has(idOf(one)) === true
  return {
    first,
    stable: first.reached.filter((one) => isIn(inSecond, one)),
    unstable: [
      ...first.reached.filter((one) => !isIn(inSecond, one)),
      ...second.reached.filter((one) => !isIn(inFirst, one)),
    ],
    unhealthy: undefined,
  }
}

function unhealthy(
  first: Run,
  run: 1 | 2,
  { reason }: Pick<Extract<Outcome, { verdict: 'breaks' }>, 'reason'>,
): Survey {
  return { first, stable: [], unstable: [], unhealthy: { run, reason } }
}

function idOf({ point }: { readonly point: Point }): string {
  return pointId(point)
}
