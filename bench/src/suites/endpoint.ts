import { forkApp, type AppProcess } from '../endpoint/app-process.js'
import { openPage, openStream, type Leave } from '../endpoint/watch.js'
import { inTurn } from '../proxy/in-turn.js'
import type { Case, Suite } from '../runner/case.js'

/** Requests of one slice, and before one, since a page was just opened or closed. */
const VISITS = 4_000
const SETTLE_VISITS = 4_000
/** Slices of each state in a round. */
const SLICES = { whole: 8, quick: 2 } as const
/** Until the optimising compiler of the app has had its say. */
const WARM_UP_VISITS = 32_000

/** What is measured of a slice, in ms. */
type Measure = (app: AppProcess, visits: number) => Promise<number>

async function timeMs(app: AppProcess, visits: number): Promise<number> {
  const start = performance.now()
  await app.visit(visits)
  return performance.now() - start
}

async function cpuMs(app: AppProcess, visits: number): Promise<number> {
  const before = await app.cpuMs()
  await app.visit(visits)
  return (await app.cpuMs()) - before
}

const nothing = (): Promise<Leave> => Promise.resolve(() => Promise.resolve())

/** Mounts the endpoint, and opens what watches it. */
const mounted =
  (watch: (app: AppProcess) => Promise<Leave>) =>
  async (app: AppProcess): Promise<Leave> => {
    await app.mount()
    const leave = await watch(app)
    return async () => {
      await leave()
      await app.unmount()
    }
  }

/** Compares the requests of an app in some state with those of the same app as it was. */
const toBare = (
  name: string,
  enter: (app: AppProcess) => Promise<Leave>,
  measure: Measure,
  rest: Pick<Case, 'bar' | 'refused'>,
): Case => ({
  name,
  unit: 'ratio',
  ...rest,
  async measure(rounds, isQuick) {
    const app = await forkApp()
    const slice = (state: typeof enter) => async (): Promise<number> => {
      const leave = await state(app)
      await app.visit(SETTLE_VISITS)
      const spent = await measure(app, VISITS)
      await leave()
      return spent
    }
    try {
      await app.visit(WARM_UP_VISITS)
      return await inTurn(rounds, slice(nothing), slice(enter), isQuick ? SLICES.quick : SLICES.whole)
    } finally {
      await app.stop()
    }
  },
})

const BAR = { bar: { most: 1.02 } }
/** What is in the fast check too. */
const CHECKED = { ...BAR, refused: 1.3 }

export const endpointSuite: Suite = {
  name: 'endpoint',
  title: 'An app with a control endpoint',
  about: `The requests of an app that mounts the endpoint, page included, to those of the same process without it: what is mounted or opened is there before a slice, and gone after it. The load comes from another process: ${VISITS.toLocaleString('en')} requests a slice, 16 in flight, which the app answers with two bytes. The first lines compare the app without an endpoint with itself.`,
  cases: [
    toBare('no endpoint', nothing, timeMs, {}),
    toBare('CPU time, no endpoint', nothing, cpuMs, {}),
    toBare('idle', mounted(nothing), timeMs, BAR),
    toBare('CPU time, idle', mounted(nothing), cpuMs, CHECKED),
    toBare('an event stream open', mounted(openStream), timeMs, BAR),
    toBare('CPU time, an event stream open', mounted(openStream), cpuMs, BAR),
    toBare('the page open', mounted(openPage), timeMs, BAR),
    toBare('CPU time, the page open', mounted(openPage), cpuMs, CHECKED),
  ],
}
