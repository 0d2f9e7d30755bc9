import { forkApp, type AppProcess } from '../endpoint/app-process.js'
import { openPage, openStream, type Leave } from '../endpoint/watch.js'
import { inTurn } from '../proxy/in-turn.js'
import type { Case, Suite } from '../runner/case.js'

/** Requests of one slice. */
const VISITS = { whole: 16_000, quick: 4_000 } as const
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

const nobody = (): Promise<Leave> => Promise.resolve(() => Promise.resolve())

/** Compares the requests of an app with those of the same app without an endpoint. */
const toBare = (
  name: string,
  kind: 'bare' | 'mounted',
  watch: (app: AppProcess) => Promise<Leave>,
  measure: Measure,
  rest: Pick<Case, 'bar' | 'refused'>,
): Case => ({
  name,
  unit: 'ratio',
  ...rest,
  async measure(rounds, isQuick) {
    const [bare, subject] = [await forkApp('bare'), await forkApp(kind)]
    try {
      const leave = await watch(subject)
      for (const app of [bare, subject]) await app.visit(WARM_UP_VISITS)
      const visits = isQuick ? VISITS.quick : VISITS.whole
      const readings = await inTurn(
        rounds,
        () => measure(bare, visits),
        () => measure(subject, visits),
      )
      await leave()
      return readings
    } finally {
      await bare.stop()
      await subject.stop()
    }
  },
})

const BAR = { bar: { most: 1.02 } }
/** What is in the fast check too. */
const CHECKED = { ...BAR, refused: 1.3 }

export const endpointSuite: Suite = {
  name: 'endpoint',
  title: 'An app with a control endpoint',
  about: `The requests of an app that mounts the endpoint, page included, to those of the same app without it. Each app has a process of its own, and the load comes from a third: ${VISITS.whole.toLocaleString('en')} requests a slice, 16 in flight, which the app answers with two bytes. The first lines compare the app without an endpoint with itself.`,
  cases: [
    toBare('no endpoint', 'bare', nobody, timeMs, {}),
    toBare('CPU time, no endpoint', 'bare', nobody, cpuMs, {}),
    toBare('idle', 'mounted', nobody, timeMs, BAR),
    toBare('CPU time, idle', 'mounted', nobody, cpuMs, CHECKED),
    toBare('an event stream open', 'mounted', openStream, timeMs, BAR),
    toBare('CPU time, an event stream open', 'mounted', openStream, cpuMs, BAR),
    toBare('the page open', 'mounted', openPage, timeMs, BAR),
    toBare('CPU time, the page open', 'mounted', openPage, cpuMs, CHECKED),
  ],
}
