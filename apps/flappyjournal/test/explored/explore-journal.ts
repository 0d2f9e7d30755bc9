import { explore, type Exploration, type ExploreOptions, type TargetMap } from '@chaos/test'
import { faultsOf, makeJournal, type Journal } from './journal.js'
import { SharedLoop } from './shared-loop.js'

/** How far to explore. */
type How = Pick<ExploreOptions<TargetMap>, 'depth' | 'budgetMs' | 'behaviours' | 'onProgress'>

/** What a run does with its journal. It calls `endFaults` between what it does and what it asserts afterwards. */
export type Story = (journal: Journal, endFaults: () => Promise<unknown>) => Promise<string>

/** Explores a story. Each run has a journal of its own. */
export async function exploreJournal(name: string, story: Story, how: How): Promise<Exploration> {
  const loop = new SharedLoop()
  let signal = new AbortController().signal
  let journal: Journal | undefined
  const own = (): Journal => {
    if (journal === undefined) throw new Error('The run has no journal.')
    return journal
  }
  try {
    return await explore(
      {
        ...how,
        name,
        onFinding: 'return',
        deadlineMs: 60_000,
        async reset() {
          await journal?.app.close()
          signal = new AbortController().signal
          journal = await makeJournal(loop, () => signal)
          await loop.untilUp(signal)
        },
        targets: () => ({ http: own().http, adapter: own().backend, bus: own().app.bus }),
        faults: faultsOf(loop),
        clock: { now: () => own().time.now(), after: (...args) => own().time.after(...args) },
      },
      async (context) => {
        signal = context.signal
        return story(own(), context.endFaults)
      },
    )
  } finally {
    await journal?.app.close()
    await loop.stop()
  }
}
