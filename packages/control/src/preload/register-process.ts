import { isMainThread } from 'node:worker_threads'
import { createChaos, type Chaos } from '@chaos/core'
import { controllerRefusal, messageOf, printable, type FaultFactoryFor } from '@chaos/core/authoring'
import { openSocket } from '../index.js'
import { injectorsOf, type Injector, type Offer } from './injectors.js'
import { PRELOADED } from '../endpoints/preload-mark.js'

/**
 * Opens a control socket in an app without chaos code. The targets come from the injectors among the dependencies of
 * the app in the current folder. This function never throws, rejects or ends the process: it prints a failure as one
 * line on standard error, and the app continues.
 *
 * Where chaos is not switched on, nothing is loaded or opened. `CHAOS_ALLOW_ENVIRONMENT` allows one environment in
 * addition to development and test. With `CHAOS_SCOPES=1`, the injectors open scopes, such as one for each request; further
 * variables `CHAOS_SCOPES_…` are theirs.
 */
export async function registerProcess(folder = process.cwd(), env = process.env): Promise<void> {
  // A preload runs in every thread, and possibly twice.
  if (!isMainThread || Reflect.has(globalThis, PRELOADED)) return
  Reflect.set(globalThis, PRELOADED, undefined)
  try {
    const allowed = env['CHAOS_ALLOW_ENVIRONMENT']
    const allowEnvironments = ['development', 'test', ...(allowed === undefined || allowed === '' ? [] : [allowed])]
    const refusal = controllerRefusal(undefined, allowEnvironments, env)
    if (refusal !== undefined) throw refusal
    const chaos = createChaos({ allowEnvironments })
    Reflect.set(globalThis, PRELOADED, chaos.controller)
    // Loading is synchronous where possible, so that pools created at the app's start-up are covered.
    const loaded = injectorsOf(folder).map(load)
    const early = loaded.flatMap((one) => (one instanceof Promise || one === undefined ? [] : [one]))
    const late = await Promise.all(loaded.filter((one) => one instanceof Promise))
    const all = [...early, ...late.filter((one) => one !== undefined)]
    offerAll(chaos, all)
    if (['1', 'true'].includes(env['CHAOS_SCOPES'] ?? '')) await Promise.all(all.map((one) => openScopes(one, env)))
    await openSocket(chaos)
  } catch (error) {
    say(`no control socket was opened: ${messageOf(error, { max: 2_000 })}`)
  }
}

/** A loaded injector. */
interface Loaded extends Offer {
  readonly name: string
}

/** Loads an injector. A failure is printed and does not affect the other injectors. */
function load({ name, load: loadOffer }: Injector): Loaded | undefined | Promise<Loaded | undefined> {
  const failed = (error: unknown): undefined => {
    sayFailed(name, error)
  }
  try {
    const offer = loadOffer()
    return offer instanceof Promise ? offer.then((one) => ({ name, ...one })).catch(failed) : { name, ...offer }
  } catch (error) {
    failed(error)
    return undefined
  }
}

/** Registers each target with its own faults and with the faults of other injectors that accept it. */
function offerAll(chaos: Chaos, injectors: readonly Loaded[]): void {
  const shared = injectors.flatMap(({ faults }) => faults)
  for (const { name, targets } of injectors) {
    try {
      for (const [target, { object, faults }] of Object.entries(targets)) {
        const own = faults as readonly FaultFactoryFor<object>[]
        const more = shared.filter((fault) => !own.includes(fault) && fault.catalog.target.accepts(object))
        chaos.target(target, object, [...own, ...more])
      }
    } catch (error) {
      sayFailed(name, error)
    }
  }
}

async function openScopes({ name, scopes }: Loaded, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await scopes?.(env)
  } catch (error) {
    say(`${name} could not open scopes: ${messageOf(error, { max: 2_000 })}`)
  }
}

function sayFailed(name: string, error: unknown): void {
  say(`${name} could not register its targets: ${messageOf(error, { max: 2_000 })}`)
}

/** Prints one line on standard error. Untrusted text is escaped so that it cannot control the terminal. */
const say = (text: string): void => void process.stderr.write(`chaos: ${printable(text, { max: 2_000 })}\n`)
