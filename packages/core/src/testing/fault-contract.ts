import assert from 'node:assert/strict'
import { createChaos, inject, isChaosError, journal, type Fault, type InjectOptions, type Injection } from '../index.js'
import type { FaultFactoryFor } from '../authoring.js'
import { manualClock, type ManualClock } from './manual-clock.js'
import { residueRecorder, type ResidueRecorder } from './residue.js'

/** A fault under test, with its target and the operations to affect. */
export interface FaultContract<Target extends object> {
  /** Makes the fault, always with the same options. */
  readonly fault: () => Fault<Target>
  /** Makes a fresh target. For an instant fault, a target that the fault can affect. */
  readonly target: () => Target | Promise<Target>
  /**
   * Runs `times` operations of one name that the fault may affect. It must not wait for operations that the fault may hold
   * back, and must handle rejections that the fault causes. If the fault itself acts at intervals, move the clock instead,
   * by at most 100 ms per operation. If operations are decided elsewhere, such as in a worker, wait until an injection of
   * `inForce` has seen each. Pass objects that the operations make (responses, sockets, cursors) to `meet`, as soon
   * as they are there, so that the suite checks that the fault leaves nothing on them.
   */
  readonly exercise: (
    target: Target,
    times: number,
    clock: ManualClock,
    meet: ResidueRecorder['meet'],
    inForce: () => readonly Injection[],
  ) => void | Promise<void>
  /**
   * Returns how many operations have completed so far, as their receiver counts them. The suite then also checks that
   * everything completes at rate 0. Only for targets whose operations complete before `exercise` does.
   */
  readonly cameThrough?: (target: Target) => number
  /**
   * The objects that the fault may change. Default: the target itself. The suite also follows every object that the fault
   * patches or meets in a call ({@link residueRecorder} says what is compared).
   */
  readonly touched?: (target: Target) => readonly object[]
  /** Disposes of a target. */
  readonly dispose?: (target: Target) => void | Promise<void>
  /** A value that the fault must refuse as its target. Default: an empty object. */
  readonly foreign?: unknown
}

/** One test case for any test runner: `for (const { title, run } of faultContract({…})) it(title, run)`. */
export interface ContractCase {
  readonly title: string
  readonly run: () => Promise<void>
}

/**
 * Returns the conformance suite for a fault: one test case per guarantee, for any test runner. The cases use `node:assert`,
 * a manual clock for standing faults and real time for instant ones.
 */
export function faultContract<Target extends object>(contract: FaultContract<Target>): readonly ContractCase[] {
  const { kind } = contract.fault()
  return [
    ...promisesOfAll(contract),
    ...(kind === 'standing' ? promisesOfStanding(contract) : promisesOfInstant(contract)),
  ]
}

interface Scene<Target> {
  readonly target: Target
  readonly clock: ManualClock
  readonly arm: (how?: InjectOptions) => Promise<Injection>
  readonly watch: (fault: Fault<Target>) => Fault<Target>
  readonly exercise: (times: number) => Promise<void>
  readonly assertUntouched: () => void
}

/** Makes a case with a fresh target. */
function scenario<Target extends object>(
  contract: FaultContract<Target>,
  title: string,
  play: (scene: Scene<Target>) => Promise<void>,
): ContractCase {
  const run = async (): Promise<void> => {
    const target = await contract.target()
    const clock = manualClock(1_000_000)
    const standing = contract.fault().kind === 'standing'
    const touched = contract.touched?.(target) ?? [target]
    // The first operation may add lazy fields to the target, which must not count as changes by the fault.
    if (standing)
      await contract.exercise(
        target,
        1,
        clock,
        () => undefined,
        () => [],
      )
    const injections: Injection[] = []
    const inForce = (): readonly Injection[] => injections.filter(({ status }) => status === 'active')
    const residue = residueRecorder()
    residue.register(...touched)
    try {
      await play({
        target,
        clock,
        watch: residue.watch,
        async arm(how) {
          const injection = await inject(
            residue.watch(contract.fault()),
            target,
            standing ? { ...how, clock } : { ...how },
          )
          injections.push(injection)
          return injection
        },
        exercise: async (times) => contract.exercise(target, times, clock, residue.meet, inForce),
        assertUntouched: () => {
          const left = residue.differences()
          assert.equal(left.length, 0, `The fault has left something behind. ${left.slice(0, 10).join('; ')}.`)
        },
      })
    } finally {
      await contract.dispose?.(target)
    }
  }
  return { title, run }
}

function promisesOfAll<Target extends object>(contract: FaultContract<Target>): ContractCase[] {
  return [
    {
      title: 'is named package/verb-object, with options checked and frozen',
      run: () => {
        const fault = contract.fault()
        assert.match(fault.name, /^[a-z][\w-]*\/[a-z][a-z-]*$/)
        assert.ok(Object.isFrozen(fault.options), 'Expected the options to be frozen.')
        return Promise.resolve()
      },
    },
    {
      title: 'refuses a value that is not its target',
      run: () =>
        assert.rejects(inject(contract.fault() as Fault<object>, contract.foreign ?? {}), (error) =>
          isChaosError(error, 'CHAOS_TARGET_MISMATCH'),
        ),
    },
    scenario(
      contract,
      'is refused while CHAOS_DISABLED is set, and leaves the target alone',
      async ({ arm, assertUntouched }) => {
        const before = process.env['CHAOS_DISABLED']
        process.env['CHAOS_DISABLED'] = '1'
        try {
          await assert.rejects(arm(), (error) => isChaosError(error, 'CHAOS_DISABLED'))
        } finally {
          if (before === undefined) delete process.env['CHAOS_DISABLED']
          else process.env['CHAOS_DISABLED'] = before
        }
        assertUntouched()
      },
    ),
    scenario(contract, 'does nothing if its signal has already aborted', async ({ arm, assertUntouched }) => {
      await assert.rejects(arm({ signal: AbortSignal.abort() }), (error) =>
        isChaosError(error, 'CHAOS_INJECTION_ENDED'),
      )
      assertUntouched()
    }),
    scenario(
      contract,
      'affects nothing at rate 0, and reports no hit',
      async ({ target, arm, exercise, assertUntouched }) => {
        const injection = await arm({ rate: 0 })
        if (injection.kind === 'standing') {
          const before = contract.cameThrough?.(target)
          await exercise(10)
          if (before !== undefined)
            assert.equal(contract.cameThrough?.(target), before + 10, 'Not every operation completed at rate 0.')
        }
        const state = await injection.rollback()
        assert.equal(state.affected, 0)
        assert.equal(state.landedAt, undefined)
        assert.ok(state.seen > 0, 'Expected the operations to be seen.')
        assertUntouched()
      },
    ),
  ]
}

function promisesOfStanding<Target extends object>(contract: FaultContract<Target>): ContractCase[] {
  return [
    scenario(
      contract,
      'restores the target, and a second rollback is harmless',
      async ({ arm, exercise, clock, assertUntouched }) => {
        const injection = await arm()
        await exercise(3)
        const state = await injection.rollback()
        assertUntouched()
        assert.equal(state.outcome, 'rolled-back')
        assert.equal(clock.pending, 0, 'A timer is still pending after the rollback.')
        assert.deepEqual(await injection.rollback(), state)
      },
    ),
    scenario(
      contract,
      'lands with its first hit, and counts what it saw: seen = affected + passed',
      async ({ arm, exercise, clock }) => {
        const injection = await arm({ rate: 0.5, seed: 'contract' })
        assert.equal(injection.landedAt, undefined)
        await clock.advance(5)
        const before = clock.now()
        await exercise(20)
        const { landedAt = Number.NaN } = injection
        assert.ok(
          landedAt >= before && landedAt <= clock.now(),
          `Expected \`landedAt\` to be from ${before} to ${clock.now()}, got \`${landedAt}\`.`,
        )
        assert.equal(injection.seen, 20)
        assert.equal(injection.seen, injection.affected + injection.passed)
        assert.ok(
          injection.affected > 0 && injection.passed > 0,
          `Expected \`affected\` to be from 1 to 19 at rate 0.5 of 20 operations, got \`${injection.affected}\`.`,
        )
        await injection.rollback()
      },
    ),
    scenario(contract, 'ends when its lease ends', async ({ arm, exercise, clock, assertUntouched }) => {
      const injection = await arm({ leaseMs: 1_000 })
      await exercise(3)
      await clock.advance(injection.leaseEndsAt - clock.now() - 1)
      assert.equal(injection.outcome, undefined)
      await clock.advance(1)
      assert.equal((await injection.done).outcome, 'lease-expired')
      assertUntouched()
    }),
    scenario(contract, 'ends when its signal aborts', async ({ arm, exercise, assertUntouched }) => {
      const controller = new AbortController()
      const injection = await arm({ signal: controller.signal })
      await exercise(3)
      controller.abort()
      assert.equal((await injection.done).outcome, 'aborted')
      assertUntouched()
    }),
    scenario(
      contract,
      'spends its limit on hits only, and ends when it is spent',
      async ({ arm, exercise, clock, assertUntouched }) => {
        const injection = await arm({ skip: 2, limit: 3, leaseMs: 600_000 })
        await exercise(9)
        await clock.advance(600_000)
        const state = await injection.done
        assert.equal(state.affected, 3)
        assert.ok(
          state.outcome === 'limit-spent' || state.outcome === 'lease-expired',
          `Expected \`outcome\` to be \`limit-spent\` or \`lease-expired\`, got \`${String(state.outcome)}\`.`,
        )
        assertUntouched()
      },
    ),
    {
      title: 'makes the same decisions for the same seed',
      run: async () => {
        const hitsOf = async (): Promise<number[]> => {
          const calls: number[] = []
          const unfollow = journal.follow((entry) => {
            if (entry.type === 'hit' && entry.id === 'same-seed') calls.push(entry.call)
          })
          try {
            await scenario(contract, '', async ({ arm, exercise }) => {
              const injection = await arm({ id: 'same-seed', seed: 7, rate: 0.5 })
              await exercise(20)
              await injection.rollback()
            }).run()
          } finally {
            unfollow()
          }
          // Calls may end in any order. What they are called is what is decided.
          return calls.sort((a, b) => a - b)
        }
        const first = await hitsOf()
        assert.ok(first.length > 0)
        assert.deepEqual(await hitsOf(), first)
      },
    },
    scenario(
      contract,
      'overlaps with other injections of the same fault, which end in any order',
      async ({ arm, exercise, assertUntouched }) => {
        const [first, second, third] = [await arm({ rate: 0.3 }), await arm({ rate: 0.3 }), await arm({ rate: 0.3 })]
        await exercise(5)
        await second.rollback()
        await exercise(5)
        await first.rollback()
        await exercise(5)
        await third.rollback()
        assertUntouched()
      },
    ),
    scenario(
      contract,
      'has no hit after stopAll was called',
      async ({ target, clock, watch, exercise, assertUntouched }) => {
        const fault = watch(contract.fault())
        const chaos = createChaos({ environment: 'test', clock })
        const factory = Object.assign(() => fault, {
          catalog: {
            ...fault,
            summary: '',
            options: [],
            info: { name: fault.name, kind: fault.kind, summary: '', options: {} },
          },
        })
        chaos.target('target', target, [factory as FaultFactoryFor<Target>])
        const injection = await chaos.controller.inject('target', fault.name)
        await exercise(3)
        const stopped = chaos.stopAll()
        const { affected } = injection
        await exercise(3)
        assert.equal(injection.affected, affected)
        const ids = (await stopped).stopped.map(({ id }) => id)
        assert.ok(ids.includes(injection.id), `stopAll did not report ${injection.id}, only: ${String(ids)}.`)
        await chaos.close()
        assertUntouched()
      },
    ),
  ]
}

function promisesOfInstant<Target extends object>(contract: FaultContract<Target>): ContractCase[] {
  return [
    scenario(
      contract,
      'lands with evidence, ends by itself, and a rollback afterwards is harmless',
      async ({ arm, assertUntouched }) => {
        const injection = await arm()
        assert.equal(injection.status, 'ended')
        assert.equal(injection.outcome, 'completed')
        assert.ok(
          injection.landedAt !== undefined && injection.landedAt >= injection.armedAt,
          'The fault has not landed.',
        )
        assert.ok(injection.evidence.length > 0, 'The fault reported no evidence.')
        assert.equal(injection.seen, injection.affected + injection.passed)
        assert.equal((await injection.rollback()).outcome, 'completed')
        assertUntouched()
      },
    ),
    scenario(contract, 'affects no more operations than its limit', async ({ arm }) => {
      const injection = await arm({ limit: 1 })
      assert.equal(injection.affected, 1)
    }),
  ]
}
