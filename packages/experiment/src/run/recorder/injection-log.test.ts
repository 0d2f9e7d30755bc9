import { ChaosError, type ChaosController, type InjectionState, type JournalEntry } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { shopOn } from '../../../test/support.js'
import { injectionLog } from './injection-log.js'

const clock = manualClock(50_000)
const state = (more: Partial<InjectionState> = {}): InjectionState => ({
  id: 'a:1',
  fault: 'shop/empty-shelves',
  kind: 'standing',
  target: 'shop',
  options: {},
  seed: '1',
  status: 'active',
  outcome: undefined,
  armedAt: 50_000,
  leaseMs: 1_000,
  leaseEndsAt: 51_000,
  landedAt: undefined,
  endedAt: undefined,
  seen: 0,
  affected: 0,
  passed: 0,
  held: 0,
  queued: 0,
  account: {},
  evidence: [],
  failures: [],
  ...more,
})
/** What an earlier run, with the same name, has left behind. */
const EARLIER = state({ armedAt: 14_000, landedAt: 14_700, status: 'ended', outcome: 'lease-expired' })
const step = { target: 'shop', fault: 'empty-shelves' }

/** A controller that says what the test lets it say. */
function controllerOf(answers: Partial<ChaosController>): {
  readonly controller: ChaosController
  tell(told: InjectionState): void
} {
  let listener: (entry: JournalEntry) => void = () => undefined
  const controller: ChaosController = {
    ...shopOn(clock).controller,
    injections: () => Promise.resolve([EARLIER]),
    stop: () => Promise.resolve(EARLIER),
    follow: (given) => {
      listener = given
      return () => undefined
    },
    ...answers,
  }
  return {
    controller,
    tell: (told) => listener({ type: 'landed', at: clock.now(), injection: told } as unknown as JournalEntry),
  }
}

describe('the injections of a run', () => {
  it('are none when the fault was refused, whatever an earlier run of the same name has left', async () => {
    const { controller, tell } = controllerOf({
      inject: () => Promise.reject(new ChaosError('CHAOS_INVALID_OPTION', 'no')),
    })
    const log = injectionLog(controller, clock, () => undefined)
    const armed = log.inject(step, 'a:1')
    tell(EARLIER)
    await armed
    tell(EARLIER)
    await log.refresh()
    expect(await log.stopAll()).toEqual([])
    expect(log.failures).toEqual(['empty-shelves into shop: no'])
    expect(log.states()).toEqual([])
  })

  it('include one that was refused, where the controller told how it ended, and stop what may be in force anyway', async () => {
    let refuse: (error: unknown) => void = () => undefined
    const stopped: string[] = []
    const { controller, tell } = controllerOf({
      inject: () => new Promise((_resolve, reject) => (refuse = reject)),
      stop: (id) => {
        stopped.push(id)
        return Promise.reject(new ChaosError('CHAOS_UNKNOWN_INJECTION', 'none'))
      },
    })
    const log = injectionLog(controller, clock, () => undefined)
    const armed = log.inject(step, 'a:1')
    const list = Array.from({ length: 1_500 }, () => ({ id: 'i-0', status: 'refused', hits: 0, evidence: [] }))
    tell(EARLIER)
    tell(state({ id: 'a:2', status: 'ended', outcome: 'failed' }))
    tell(state({ status: 'ended', outcome: 'failed', instances: { counts: { refused: 1_500 }, list } }))
    refuse(new ChaosError('CHAOS_TEST', 'no'))
    await armed
    const [told, ...others] = log.states()
    expect(told).toMatchObject({ id: 'a:1', outcome: 'failed', instances: { counts: { refused: 1_500 } } })
    expect(told?.instances?.list).toHaveLength(1_000)
    expect(others).toEqual([])
    expect(await log.stopAll()).toEqual([])
    expect(stopped).toEqual(['a:1'])
  })

  it('are never those of another run that has taken the name, which it leaves in force', async () => {
    const { controller } = shopOn(clock)
    const other = injectionLog(controller, clock, () => undefined)
    await other.inject(step, 'a:1')
    const log = injectionLog(controller, clock, () => undefined)
    await log.inject(step, 'a:1')
    expect(log.failures).toEqual([expect.stringContaining('The injection id "a:1" is in use.') as string])
    expect(await log.stopAll()).toEqual([])
    expect(await controller.injections()).toMatchObject([{ id: 'a:1', status: 'active' }])
    expect(await other.stopAll()).toEqual([])
    expect(await controller.injections()).toMatchObject([{ id: 'a:1', status: 'ended', outcome: 'stopped' }])
  })

  it('are those that the answer to its own call names, also where they are told of before it', async () => {
    let answer: (own: InjectionState) => void = () => undefined
    const { controller, tell } = controllerOf({ inject: () => new Promise((resolve) => (answer = resolve)) })
    const log = injectionLog(controller, clock, () => undefined)
    const armed = log.inject(step, 'a:1')
    tell(state({ landedAt: 50_010 }))
    tell(EARLIER)
    await log.refresh()
    expect(log.states()).toEqual([])
    answer(state())
    await armed
    expect(log.states()).toMatchObject([{ armedAt: 50_000, landedAt: 50_010 }])
    tell(EARLIER)
    await log.refresh()
    await log.stop('a:1')
    expect(log.states()).toMatchObject([{ armedAt: 50_000, landedAt: 50_010, status: 'active' }])
  })

  it('are waited for as long as a process may take to say which step of the way back did not settle', async () => {
    const own = state({ id: 'a:1' })
    const { controller } = controllerOf({
      inject: () => Promise.resolve(own),
      stop: () =>
        new Promise(
          (_resolve, reject) =>
            void clock.after(10_000, () => reject(new ChaosError('CHAOS_ROLLBACK_FAILED', 'step 3 did not settle'))),
        ),
    })
    const log = injectionLog(controller, clock, () => undefined)
    await log.inject(step, 'a:1')
    const stopping = log.stop('a:1')
    await clock.advance(10_000)
    expect(await stopping).toBe('a:1: step 3 did not settle')
  })

  it('are stopped by the name that the controller gave them', async () => {
    const stopped: string[] = []
    const own = state({ id: 'other' })
    const { controller } = controllerOf({
      inject: () => Promise.resolve(own),
      stop: (id) => {
        stopped.push(id)
        return Promise.resolve({ ...own, status: 'ended', outcome: 'stopped' })
      },
    })
    const log = injectionLog(controller, clock, () => undefined)
    await log.inject(step, 'a:1')
    expect(await log.stop('a:1')).toBeUndefined()
    expect(stopped).toEqual(['other'])
    expect(log.states()).toMatchObject([{ id: 'other', status: 'ended', outcome: 'stopped' }])
  })

  it('stay as they were read, although the controller goes on changing its own', async () => {
    const live = { ...state(), affected: 1 }
    const { controller, tell } = controllerOf({ inject: () => Promise.resolve(live) })
    const log = injectionLog(controller, clock, () => undefined)
    await log.inject(step, 'a:1')
    tell(live)
    live.affected = 9
    expect(log.states()).toMatchObject([{ affected: 1 }])
  })
})
