import type { Verdict } from '@chaos/experiment'
import type { Played } from './play.js'

/** How late this process hears of what happened in the app, in ms. */
const HEARD_WITHIN_MS = 250

/** Why the marks of a run contradict what the app's own controller saw; empty if they do not. */
export function falseMarks({ marks }: Pick<Verdict, 'marks'>, seenAt: Played['seenAt']): readonly string[] {
  return (
    [
      ['t0', seenAt.landed],
      ['t4', seenAt.ended],
    ] as const
  ).flatMap(([name, trueAt]) => {
    const mark = marks[name]
    if (trueAt === undefined || mark === undefined) return []
    const [earliest, latest] = [trueAt - HEARD_WITHIN_MS - mark.errorMs, trueAt + mark.errorMs]
    return mark.at >= earliest && mark.at <= latest + HEARD_WITHIN_MS
      ? []
      : [
          `${name} is ${Math.round(mark.at - trueAt)} ms off, and claims to be at most ${Math.round(mark.errorMs)} ms off.`,
        ]
  })
}
