import type { Injection, Scope } from '@chaos/core'
import { messageOf, onAbort, printable, readSafely, runInScope } from '@chaos/core/authoring'
import { watchOrphans } from '../oracles/orphans.js'
import type { ProcessErrors } from '../oracles/process-errors.js'
import type { Outcome, Run } from '../search/model.js'
import { givenUpError } from './given-up.js'
import { sortErrors } from './late-errors.js'
import type { Checked, ExploredTest, TargetMap } from './options.js'
import { breaks, HOLDS } from './outcome.js'
import { isWithin } from './points.js'
import { turn } from './turn.js'

const MAX_REASON = 2_000

/** What is asked of one run. */
interface Asked {
  readonly options: Checked
  readonly test: ExploredTest<TargetMap>
  readonly errors: ProcessErrors
}

/** Where the test of one run works. */
interface Stage {
  readonly root: Scope
  readonly targets: TargetMap
  /** Aborts when the run ends. */
  readonly ended: AbortController
  /** The planned hits that are in force. */
  readonly planned: readonly Injection[]
  /** Waits for instant faults that have begun. */
  readonly done: () => Promise<unknown>
  /** Ends all, the watches as well. */
  readonly endFaults: () => Promise<void>
}

/** Runs the test and asks every oracle. */
export async function outcomeOf(
  { options, test, errors }: Asked,
  { root, targets, ended, planned, done, endFaults: end }: Stage,
): Promise<Answered> {
  const orphans = watchOrphans((scope) => scope !== undefined && isWithin(root, scope))
  const holding = (): readonly Injection[] => planned.filter(({ held }) => held > 0)
  const settle = async (): Promise<void> => {
    for (const injection of holding()) await injection.rollback()
    await turn()
  }
  const endFaults = async (): Promise<void> => {
    await end()
    await turn()
  }
  try {
    const begin = (): unknown => test({ scope: root, targets, signal: ended.signal, settle, endFaults })
    const work = new Promise((resolve) => resolve(runInScope(root, begin)))
      .then(
        (value: unknown) => ({ ...HOLDS, answer: textOf(value) }),
        (error: unknown) => breaks(messageOf(error, { max: MAX_REASON, lines: true })),
      )
      // An instant fault that is not done yet has not landed, and is no injection that the test has left.
      .finally(done)
    const outcome = await orGivenUp(work, options)
    if (outcome.verdict === 'breaks') return outcome
    const held = holding()
    if (held.length > 0)
      return breaks(
        `The test ended while ${held.map(({ fault }) => fault).join(' and ')} held work back. Call \`await settle()\` before asserting.`,
      )
    await turn()
    const { own, late } = sortErrors(errors.take())
    if (own.length > 0)
      return { ...breaks(`An error was not handled: ${messageOf(own[0], { max: MAX_REASON, lines: true })}`), late }
    if (orphans.ids.length > 0)
      return { ...breaks(`The test left injections in force: ${orphans.ids.join(', ')}.`), late }
    return { ...outcome, late }
  } finally {
    orphans.stop()
    ended.abort()
  }
}

/** An outcome, with what the test returned. */
type Answered = Outcome & { readonly answer?: string } & Pick<Run, 'late'>

const MAX_ANSWER = 500

/** What a test returned, as text. */
function textOf(value: unknown): string {
  if (value === undefined) return ''
  const text: unknown = readSafely(() => (typeof value === 'string' ? value : JSON.stringify(value)))
  return printable(text ?? typeof value, { max: MAX_ANSWER })
}

/**
 * Waits for the end of the test, at most until the deadline.
 *
 * @throws ChaosError `CHAOS_NOT_EXPLORED` if the search is given up meanwhile: the run then shows nothing.
 */
async function orGivenUp(work: Promise<Answered>, { searchClock, deadlineMs, signal }: Checked): Promise<Answered> {
  let cancel = (): void => undefined
  const hang = new Promise<Outcome>((resolve) => {
    cancel = searchClock.after(deadlineMs, () =>
      resolve(breaks(`The test hangs: it did not end within ${deadlineMs} ms.`)),
    )
  })
  let ignore = (): void => undefined
  const givenUp = new Promise<never>((_, reject) => {
    if (signal !== undefined) ignore = onAbort(signal, () => reject(givenUpError(signal)))
  })
  try {
    return await Promise.race([work, hang, givenUp])
  } finally {
    cancel()
    ignore()
  }
}
