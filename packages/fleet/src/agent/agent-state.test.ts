import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RunView, Snapshot } from '../transports/transport.js'
import {
  initialAgentState,
  instanceStateOf,
  pollMsOf,
  step,
  type AgentEffect,
  type AgentEvent,
  type AgentState,
} from './agent-state.js'

const LEASE_MS = 3_000
const MAX_DURATION_MS = 60_000
const times = { leaseMs: LEASE_MS, maxDurationMs: MAX_DURATION_MS }
const signed = { text: '{}', keyId: 'key', signature: 'signature' }

const shown = (given: Partial<RunView> = {}): Snapshot => ({
  isPermitted: true,
  epoch: 1,
  run: { id: 'run-1', phase: 'prepare', epoch: 1, beat: 1, remainingMs: LEASE_MS, signed, ...given },
})
const nothing: Snapshot = { isPermitted: true, epoch: 1, run: undefined }

/** An agent with the events that happened to it. */
function agent() {
  let state: AgentState = initialAgentState
  const at = (nowMs: number, event: AgentEvent): readonly AgentEffect[] => {
    const next = step(state, event, nowMs)
    state = next.state
    return next.effects
  }
  const one = {
    at,
    read: (nowMs: number, snapshot: Snapshot, sentAtMs = nowMs) => at(nowMs, { type: 'read', sentAtMs, snapshot }),
    checked: (nowMs: number, verdict: Extract<AgentEvent, { type: 'checked' }>['verdict'] = times) =>
      at(nowMs, { type: 'checked', runId: 'run-1', verdict }),
    /** Takes part in `run-1`, which is in force from 0 ms. */
    inForce: (given = times) => {
      one.read(0, shown())
      one.checked(0, given)
      one.read(0, shown({ phase: 'active', beat: 2 }))
      at(0, { type: 'applied', runId: 'run-1' })
      return one
    },
    reverted: (nowMs: number) => at(nowMs, { type: 'reverted', runId: 'run-1', hits: 7, evidence: [] }),
    get state() {
      return state
    },
  }
  return one
}

const reverts = (effects: readonly AgentEffect[]): readonly string[] =>
  effects.flatMap((effect) => (effect.type === 'revert' ? [effect.why] : []))

describe('the states of a run', () => {
  it('checks, is ready, applies when active, and answers in each state', () => {
    const it = agent()
    expect(it.read(0, shown())).toEqual([{ type: 'check', runId: 'run-1', signed }])
    expect(instanceStateOf(it.state)).toBe('idle')
    expect(it.checked(10)).toEqual([{ type: 'ack', runId: 'run-1', ack: { status: 'ready' } }])
    expect(instanceStateOf(it.state)).toBe('ready')
    expect(it.read(500, shown({ phase: 'active', beat: 2 }))).toEqual([
      { type: 'apply', runId: 'run-1', deadlineMs: 3_500 },
    ])
    expect(it.at(510, { type: 'applied', runId: 'run-1' })).toEqual([
      { type: 'ack', runId: 'run-1', ack: { status: 'applied' } },
    ])
    expect(instanceStateOf(it.state)).toBe('applied')
    expect(it.read(600, nothing)).toEqual([{ type: 'revert', runId: 'run-1', why: 'run-gone' }])
    expect(instanceStateOf(it.state)).toBe('reverting')
    expect(it.reverted(610)).toEqual([
      { type: 'ack', runId: 'run-1', ack: { status: 'reverted', why: 'run-gone', hits: 7, evidence: [] } },
    ])
    expect(instanceStateOf(it.state)).toBe('idle')
  })

  it('takes part at once in a run that was active before it was checked', () => {
    const it = agent()
    it.read(0, shown({ phase: 'active' }))
    expect(it.checked(10).map(({ type }) => type)).toEqual(['ack', 'apply'])
  })

  it('applies nothing that is refused, and checks it once', () => {
    const it = agent()
    it.read(0, shown({ phase: 'active' }))
    const refused = [{ type: 'ack', runId: 'run-1', ack: { status: 'refused', why: 'no such target' } }]
    expect(it.checked(0, { refusal: 'no such target' })).toEqual(refused)
    expect(it.read(600, shown({ phase: 'active', beat: 2 }))).toEqual(refused)
    expect(it.read(700, nothing)).toEqual([])
  })

  it('never tries again what could not be put in force', () => {
    const it = agent()
    it.read(0, shown())
    it.checked(0)
    it.read(0, shown({ phase: 'active', beat: 2 }))
    const refused = { type: 'ack', runId: 'run-1', ack: { status: 'refused', why: 'sealed' } }
    expect(it.at(1, { type: 'applied', runId: 'run-1', failure: 'sealed' })).toEqual([refused])
    expect(it.read(2, shown({ phase: 'active', beat: 3 }))).toEqual([refused])
  })

  it('ignores what is told about another run', () => {
    const it = agent()
    it.read(0, shown())
    expect(it.at(1, { type: 'checked', runId: 'run-2', verdict: times })).toEqual([])
    expect(it.at(1, { type: 'applied', runId: 'run-1' })).toEqual([])
    expect(it.at(1, { type: 'reverted', runId: 'run-1', hits: 1, evidence: [] })).toEqual([])
    expect(instanceStateOf(it.state)).toBe('idle')
  })
})

describe('the deadline', () => {
  const deadlines = (effects: readonly AgentEffect[]): readonly number[] =>
    effects.flatMap((effect) => (effect.type === 'extend' || effect.type === 'apply' ? [effect.deadlineMs] : []))

  it('counts from the time that a read was sent, not from its answer', () => {
    const it = agent().inForce()
    expect(deadlines(it.read(2_500, shown({ phase: 'active', beat: 3 }), 600))).toEqual([3_600])
  })

  it('is no later than the rest of the lease by the engine', () => {
    const it = agent().inForce()
    expect(deadlines(it.read(1_000, shown({ phase: 'active', beat: 3, remainingMs: 2_400 })))).toEqual([3_400])
  })

  it('is no later than the lease after a beat was first seen, whatever the clock of the engine says', () => {
    const it = agent().inForce()
    it.read(600, shown({ phase: 'active', beat: 3, remainingMs: 3_600_000 }))
    for (const nowMs of [1_200, 1_800, 2_400, 3_000, 3_599])
      expect(deadlines(it.read(nowMs, shown({ phase: 'active', beat: 3, remainingMs: 3_600_000 })))).toEqual([])
    expect(reverts(it.at(3_600, { type: 'tick' }))).toEqual(['deadline'])
  })

  it('does not count a beat that goes back, as after a restore from a backup', () => {
    const it = agent().inForce()
    expect(deadlines(it.read(600, shown({ phase: 'active', beat: 1 })))).toEqual([])
  })

  it('never moves back for a slow read', () => {
    const it = agent().inForce()
    it.read(1_000, shown({ phase: 'active', beat: 3 }))
    expect(deadlines(it.read(2_000, shown({ phase: 'active', beat: 3, remainingMs: 1 })))).toEqual([])
    expect(reverts(it.at(3_999, { type: 'tick' }))).toEqual([])
    expect(reverts(it.at(4_000, { type: 'tick' }))).toEqual(['deadline'])
  })

  it('ends a run whose renewal arrives only after it', () => {
    const it = agent().inForce()
    expect(reverts(it.read(3_000, shown({ phase: 'active', beat: 9 }), 2_900))).toEqual(['deadline'])
  })

  it('never passes the longest duration, which counts from the first apply', () => {
    const it = agent().inForce({ leaseMs: LEASE_MS, maxDurationMs: 5_000 })
    for (const [beat, nowMs] of [1_000, 2_000, 3_000].entries())
      it.read(nowMs, shown({ phase: 'active', beat: beat + 3 }))
    expect(deadlines(it.read(4_000, shown({ phase: 'active', beat: 9 })))).toEqual([])
    expect(reverts(it.read(5_000, shown({ phase: 'active', beat: 10 })))).toEqual(['max-duration'])
  })

  it('also ends a run that is ready: it is not applied later', () => {
    const it = agent()
    it.read(0, shown())
    it.checked(0)
    expect(it.at(3_000, { type: 'tick' })).toEqual([
      { type: 'ack', runId: 'run-1', ack: { status: 'reverted', why: 'deadline', hits: 0 } },
    ])
    expect(it.read(3_001, shown({ phase: 'active', beat: 2 })).map(({ type }) => type)).toEqual(['ack'])
  })

  it('leaves no time for a fault whose longest duration is none', () => {
    const it = agent()
    it.read(0, shown({ phase: 'active' }))
    const effects = it.checked(10, { leaseMs: LEASE_MS, maxDurationMs: 0 })
    expect(effects.map(({ type }) => type)).toEqual(['ack', 'ack'])
    expect(it.state.run).toBeUndefined()
  })

  it('passes while a plan is being checked', () => {
    const it = agent()
    it.read(0, shown({ phase: 'active' }))
    expect(it.checked(3_000).map(({ type }) => type)).toEqual(['ack'])
    expect(it.state.run).toBeUndefined()
  })

  it.each([
    ['epoch', { ...shown({ phase: 'active', beat: 3 }), epoch: Number.NaN }],
    ['beat', shown({ phase: 'active', beat: Number.NaN })],
    ['rest of the lease', shown({ phase: 'active', beat: 3, remainingMs: Number.NaN })],
  ])('is not moved by an answer whose %s is no number', (_what, snapshot) => {
    const it = agent().inForce()
    expect(it.read(1_000, snapshot)).toEqual([])
    expect(reverts(it.at(3_000, { type: 'tick' }))).toEqual(['deadline'])
  })
})

describe('the end of a run', () => {
  const active = shown({ phase: 'active', beat: 3 })
  it.each<[string, AgentEvent]>([
    ['run-gone', { type: 'read', sentAtMs: 100, snapshot: nothing }],
    ['halted', { type: 'read', sentAtMs: 100, snapshot: { ...nothing, isPermitted: false, epoch: 2 } }],
    ['not-permitted', { type: 'read', sentAtMs: 100, snapshot: { ...active, isPermitted: false } }],
    ['not-permitted', { type: 'read', sentAtMs: 100, snapshot: { isPermitted: false, epoch: 0, run: undefined } }],
    ['epoch', { type: 'read', sentAtMs: 100, snapshot: { ...active, epoch: 2 } }],
    ['replaced', { type: 'read', sentAtMs: 100, snapshot: shown({ id: 'run-2' }) }],
    ['clock-jump', { type: 'drift', byMs: 1_001 }],
    ['clock-jump', { type: 'drift', byMs: -5_000 }],
    ['stopped', { type: 'stop', why: 'stopped' }],
    ['deadline', { type: 'stop', why: 'deadline' }],
    ['shutdown', { type: 'shutdown' }],
  ])('comes at once with %s, and for good', (why, event) => {
    const it = agent().inForce()
    expect(reverts(it.at(100, event))).toEqual([why])
    it.reverted(110)
    const again = it.read(200, { ...active, epoch: Math.max(1, it.state.epoch) })
    expect(again.filter(({ type }) => type !== 'ack')).toEqual([])
    expect(it.read(300, shown({ phase: 'active', beat: 4, epoch: 9 })).filter(({ type }) => type !== 'ack')).toEqual([])
  })

  it('is not caused by a failed read, a small drift or an answer that was overtaken', () => {
    const it = agent().inForce()
    expect(it.at(100, { type: 'read-failed' })).toEqual([])
    expect(it.at(100, { type: 'drift', byMs: 1_000 })).toEqual([])
    it.read(200, active)
    expect(it.read(300, nothing, 100)).toEqual([])
  })

  it('remembers the highest epoch, though the engine has lost it', () => {
    const it = agent()
    it.read(0, { isPermitted: true, epoch: 7, run: undefined })
    for (const sentAtMs of [100, 150]) {
      // Who starts a run is told why nobody takes part.
      const why = expect.stringContaining('older epoch') as string
      expect(it.read(sentAtMs, shown({ epoch: 6, phase: 'active' }))).toEqual([
        { type: 'ack', runId: 'run-1', ack: { status: 'refused', why } },
      ])
    }
    expect(it.read(200, shown({ epoch: 7 })).map(({ type }) => type)).toEqual(['check'])
  })

  it('lets the next run wait until the last one is rolled back', () => {
    const it = agent().inForce()
    expect(it.read(100, shown({ id: 'run-2' })).map(({ type }) => type)).toEqual(['revert'])
    it.reverted(200)
    expect(it.read(300, shown({ id: 'run-2' })).map(({ type }) => type)).toEqual(['check', 'ack'])
  })

  it('answers until the engine has confirmed it and no longer shows the run', () => {
    const it = agent().inForce()
    it.read(100, nothing)
    it.reverted(110)
    const acks = (effects: readonly AgentEffect[]) => effects.filter(({ type }) => type === 'ack')
    expect(acks(it.read(200, nothing))).toHaveLength(1)
    expect(pollMsOf(it.state, 5_000)).toBe(1_000)
    it.at(210, { type: 'acked', runId: 'run-1', status: 'applied' })
    expect(acks(it.read(300, nothing))).toHaveLength(1)
    it.at(310, { type: 'acked', runId: 'run-1', status: 'reverted' })
    expect(acks(it.read(400, active))).toHaveLength(1)
    expect(acks(it.read(500, nothing))).toEqual([])
    expect(pollMsOf(it.state, 5_000)).toBe(5_000)
  })

  it('takes part in nothing after a shutdown', () => {
    const it = agent()
    expect(it.at(0, { type: 'shutdown' })).toEqual([])
    expect(instanceStateOf(it.state)).toBe('leaving')
    expect(it.read(100, shown())).toEqual([])
  })

  it('forgets no run id, and refuses when it may remember no more', () => {
    let state: AgentState = { ...initialAgentState, dead: new Set(Array.from({ length: 9_999 }, (_, i) => `old-${i}`)) }
    const at = (nowMs: number, event: AgentEvent): readonly AgentEffect[] => {
      const next = step(state, event, nowMs)
      state = next.state
      return next.effects
    }
    at(0, { type: 'read', sentAtMs: 0, snapshot: shown() })
    at(0, { type: 'stop', why: 'stopped' })
    expect(state.dead.size).toBe(10_000)
    expect(at(1, { type: 'read', sentAtMs: 1, snapshot: shown({ id: 'run-2' }) })).toEqual([
      expect.objectContaining({
        type: 'ack',
        ack: { status: 'refused', why: expect.stringContaining('Restart') as string },
      }),
    ])
  })

  it('remembers no id that only a writer of the engine has made up', () => {
    const it = agent()
    for (let i = 0; i < 50; i += 1) it.read(i, shown({ id: `made-up-${i}` }))
    expect(it.state.dead.size).toBe(0)
    expect(it.read(60, shown({ id: 'x'.repeat(201) }))).toEqual([])
  })
})

describe('under any sequence of reads, delays, losses and clock jumps', () => {
  const runs: fc.Arbitrary<RunView | undefined> = fc.option(
    fc.record({
      // Mostly one run, so that it gets somewhere.
      id: fc.constantFrom('run-1', 'run-1', 'run-1', 'run-2', 'run-3'),
      phase: fc.constantFrom('prepare', 'active', 'active'),
      epoch: fc.constantFrom(1, 1, 1, 2),
      beat: fc.nat(30),
      remainingMs: fc.oneof(fc.integer({ min: -5, max: 3_000 }), fc.constantFrom(3_600_000, Infinity, NaN)),
      signed: fc.constant(signed),
    }),
    { nil: undefined, freq: 15 },
  )
  const snapshots: fc.Arbitrary<Snapshot> = fc.record({
    isPermitted: fc.integer({ min: 0, max: 19 }).map((n) => n > 0),
    epoch: fc.constantFrom(1, 1, 1, 1, 1, 1, 2, NaN),
    run: runs,
  })
  type Act =
    | { readonly do: 'wait'; readonly ms: number }
    | { readonly do: 'read'; readonly snapshot: Snapshot; readonly agoMs: number }
    /** A read of the run whose controller lives. */
    | { readonly do: 'beat'; readonly agoMs: number }
    | { readonly do: 'settle'; readonly refuse: boolean }
    | { readonly do: 'event'; readonly event: AgentEvent }
  const acts: fc.Arbitrary<Act> = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(1_200) }) },
    { weight: 12, arbitrary: fc.record({ do: fc.constant('beat' as const), agoMs: fc.nat(300) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), snapshot: snapshots, agoMs: fc.nat(900) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('settle' as const),
        refuse: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('event' as const),
        event: fc.constantFrom<AgentEvent>(
          { type: 'tick' },
          { type: 'read-failed' },
          { type: 'drift', byMs: 400 },
          { type: 'drift', byMs: 60_000 },
          { type: 'stop', why: 'stopped' },
        ),
      }),
    },
  )
  const planTimes = fc.record({
    leaseMs: fc.integer({ min: 1_000, max: 4_000 }),
    maxDurationMs: fc.integer({ min: 500, max: 9_000 }),
  })

  /** What is known of a run without looking into the state. */
  interface Seen {
    beat: number
    beatSentAtMs: number
    checked: boolean
    ended: boolean
    firstApplyMs: number | undefined
    deadlineMs: number
  }

  it('nothing is in force at its deadline, unchecked or again, and no deadline moves back or goes too far', () => {
    let [applied, extended, reverted] = [0, 0, 0]
    fc.assert(
      fc.property(planTimes, fc.array(acts, { minLength: 5, maxLength: 60 }), (plan, sequence) => {
        let [state, nowMs, readAtMs]: [AgentState, number, number] = [initialAgentState, 0, -Infinity]
        const seen = new Map<string, Seen>()
        const pending: AgentEffect[] = []
        let inForce: string | undefined
        let [round, beat] = [1, 0]
        let lastShown: string | undefined
        const of = (id: string): Seen => seen.get(id) as Seen

        const happens = (event: AgentEvent): void => {
          const next = step(state, event, nowMs)
          state = next.state
          for (const effect of next.effects) {
            const { runId } = effect
            if (effect.type === 'apply' || effect.type === 'extend') {
              const run = of(runId)
              if (effect.type === 'apply') {
                applied += 1
                expect(run.checked).toBe(true)
                expect(run.ended).toBe(false)
                expect(inForce).toBeUndefined()
                inForce = runId
                run.firstApplyMs = nowMs
              } else {
                extended += 1
                expect(inForce).toBe(runId)
                expect(effect.deadlineMs).toBeGreaterThan(run.deadlineMs)
              }
              expect(nowMs).toBeLessThan(effect.deadlineMs)
              expect(effect.deadlineMs).toBeLessThanOrEqual((run.firstApplyMs as number) + plan.maxDurationMs)
              // The whole point: nobody who has not seen the controller alive for a lease has the fault in force.
              expect(effect.deadlineMs).toBeLessThanOrEqual(run.beatSentAtMs + plan.leaseMs)
              run.deadlineMs = effect.deadlineMs
            }
            if (effect.type === 'revert') {
              reverted += 1
              expect(inForce).toBe(runId)
              inForce = undefined
              of(runId).ended = true
            }
            if (effect.type === 'ack' && effect.ack.status === 'reverted') of(runId).ended = true
            if (effect.type !== 'ack') pending.push(effect)
          }
          if (inForce !== undefined) expect(nowMs).toBeLessThan(of(inForce).deadlineMs)
        }

        for (const act of sequence) {
          if (act.do === 'wait') {
            nowMs += act.ms
            happens({ type: 'tick' })
          } else if (act.do === 'event') happens(act.event)
          else if (act.do === 'settle') {
            const effect = pending.shift()
            if (effect?.type === 'check') {
              if (!act.refuse) of(effect.runId).checked = true
              const verdict = act.refuse ? { refusal: 'no' } : plan
              happens({ type: 'checked', runId: effect.runId, verdict })
            } else if (effect?.type === 'apply')
              happens({ type: 'applied', runId: effect.runId, ...(act.refuse ? { failure: 'no' } : {}) })
            else if (effect?.type === 'revert')
              happens({ type: 'reverted', runId: effect.runId, hits: 1, evidence: [] })
            // A fault that could not be put in force is not in force.
            if (effect?.type === 'apply' && act.refuse && inForce === effect.runId && state.run?.id !== effect.runId) {
              inForce = undefined
              of(effect.runId).ended = true
            }
          } else {
            if (act.do === 'beat') {
              beat += 1
              if (seen.get(`run-${round}`)?.ended === true) round += 1
            }
            const snapshot = act.do === 'read' ? act.snapshot : shown({ id: `run-${round}`, phase: 'active', beat })
            const sentAtMs = nowMs - act.agoMs
            const { run } = snapshot
            const counts = sentAtMs >= readAtMs && !Number.isNaN(snapshot.epoch) && !Number.isNaN(run?.remainingMs ?? 0)
            if (run !== undefined) {
              const known = seen.get(run.id)
              if (known === undefined || (counts && (run.beat > known.beat || run.id !== lastShown)))
                seen.set(run.id, {
                  checked: false,
                  ended: false,
                  firstApplyMs: undefined,
                  deadlineMs: -Infinity,
                  ...known,
                  beat: run.beat,
                  beatSentAtMs: sentAtMs,
                })
            }
            if (counts) readAtMs = sentAtMs
            if (counts && run !== undefined) lastShown = run.id
            happens({ type: 'read', sentAtMs, snapshot })
            if (counts && !(snapshot.isPermitted && run !== undefined && run.id === inForce))
              expect(inForce).toBeUndefined()
          }
        }
      }),
      { numRuns: 3_000 },
    )
    // The sequences reach what they are about.
    expect(Math.min(applied, extended, reverted)).toBeGreaterThan(100)
  })
})
