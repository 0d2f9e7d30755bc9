import { ChaosError } from '@chaos/core'
import { listed, printable } from '@chaos/core/authoring'
import { checkPlan } from '../../plan/check-plan.js'
import type { Plan, SignedPlan } from '../../plan/plan.js'
import { isObject, isSignedPlan } from '../records.js'
import type { ControllerTransport, OwnedRun, Phase } from '../transport.js'

/** The calls of a controller that a relay passes on. */
export type ControlCall = Exclude<keyof ControllerTransport, 'onWake' | 'disconnect'>

/** What a call returns: a value, or as many items as there are. */
export type Reply = { readonly value: unknown } | { readonly items: Iterable<unknown> }

/** The most characters of a text in a call. */
const MAX_TEXT = 4_096
/** The most characters of the details of an entry in the audit log. */
const MAX_DETAILS = 65_536
/** The longest window, and the longest lease, in ms. What an engine accepts beneath is its own affair. */
const MAX_MS = 366 * 86_400_000
/** The most entries of the audit log in one answer. */
const MAX_ENTRIES = 100_000

const NOTHING: Reply = { value: undefined }

const CALLS: Readonly<Record<ControlCall, (engine: ControllerTransport, args: Args) => Promise<Reply>>> = {
  list: async (engine) => ({ items: await engine.list() }),
  async open(engine, args) {
    const [signed, owner] = [args.signed(0), args.text(1)]
    return { value: await engine.open(signed, planIn(signed), owner) }
  },
  renew: async (engine, args) => ({ value: await engine.renew(args.run(0), args.number(1, MAX_MS), args.phase(2)) }),
  async close(engine, args) {
    await engine.close(args.run(0), args.plan(1))
    return NOTHING
  },
  acks: async (engine, args) => ({ items: await engine.acks(args.text(0)) }),
  runs: async (engine) => ({ items: await engine.runs() }),
  halt: async (engine, args) => ({ value: await engine.halt(args.text(0), args.text(1)) }),
  permit: async (engine, args) => ({
    value: await engine.permit(args.number(0, MAX_MS), args.text(1), args.text(2)),
  }),
  status: async (engine) => ({ value: await engine.status() }),
  audit: async (engine, args) => ({ items: await engine.audit(args.number(0, MAX_ENTRIES), args.textIfAny(1)) }),
  async note(engine, args) {
    await engine.note(args.text(0), args.text(1), args.details(2))
    return NOTHING
  },
}

/**
 * Does what a controller asks of the engine.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if the call or its arguments make no sense, `CHAOS_FLEET_PLAN_REFUSED` if its plan
 *   is not valid, and the errors of the engine.
 */
export async function controlCall(engine: ControllerTransport, name: string, args: readonly unknown[]): Promise<Reply> {
  const call = Object.hasOwn(CALLS, name) ? CALLS[name as ControlCall] : undefined
  if (call === undefined)
    throw invalid(
      `A relay has no call "${printable(name)}". Use ${listed(Object.keys(CALLS))}, or relay and controller of one version.`,
    )
  return call(engine, new Args(name, args))
}

/** The arguments of a call, which any local process may have sent. Each is checked when it is taken. */
class Args {
  readonly #name: string
  readonly #values: readonly unknown[]

  constructor(name: string, values: readonly unknown[]) {
    this.#name = name
    this.#values = values
  }

  text(at: number): string {
    return this.#take(at, `a text of at most ${MAX_TEXT} characters`, isText)
  }

  textIfAny(at: number): string | undefined {
    return (this.#values[at] ?? undefined) === undefined ? undefined : this.text(at)
  }

  number(at: number, max: number): number {
    const isOne = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= max
    return this.#take(at, `a number from 0 to ${max}`, isOne)
  }

  phase(at: number): Phase {
    return this.#take(at, '`prepare` or `active`', (value): value is Phase => value === 'prepare' || value === 'active')
  }

  run(at: number): OwnedRun {
    return this.#take(
      at,
      'a run and its owner',
      (value): value is OwnedRun => isObject(value) && isText(value['runId']) && isText(value['owner']),
    )
  }

  signed(at: number): SignedPlan {
    return this.#take(at, 'a signed plan', isSignedPlan)
  }

  plan(at: number): Plan {
    return checkPlan(this.#values[at])
  }

  details(at: number): Readonly<Record<string, string>> {
    return this.#take(
      at,
      `texts by name of at most ${MAX_DETAILS} characters`,
      (value): value is Readonly<Record<string, string>> =>
        isObject(value) &&
        Object.values(value).every((one) => typeof one === 'string') &&
        JSON.stringify(value).length <= MAX_DETAILS,
    )
  }

  #take<T>(at: number, expected: string, is: (value: unknown) => value is T): T {
    const value = this.#values[at]
    if (is(value)) return value
    throw invalid(
      `Expected argument ${at + 1} of the call \`${this.#name}\` to be ${expected}, got \`${printable(value)}\`.`,
    )
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_TEXT

/** The plan of a text that agents check for themselves, with its signature. */
function planIn({ text }: SignedPlan): Plan {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (error) {
    throw new ChaosError('CHAOS_FLEET_PLAN_REFUSED', 'The text of the plan is not JSON.', { cause: error })
  }
  return checkPlan(data)
}

const invalid = (message: string): ChaosError => new ChaosError('CHAOS_INVALID_OPTION', message)
