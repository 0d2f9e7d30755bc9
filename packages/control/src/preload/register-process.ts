import { isMainThread } from 'node:worker_threads'
import { createChaos, type Chaos } from '@chaos/core'
import { controllerRefusal, messageOf, printable, type FaultFactoryFor } from '@chaos/core/authoring'
import { openSocket } from '../index.js'
import { injectorsOf, type Injector, type Offer } from './injectors.js'
import { PRELOADED } from '../endpoints/preload-mark.js'

/**
 * Opens a control socket in an app that has no chaos code. What can be broken comes from the injectors that the app in the current folder depends
 * on. It never throws or rejects, and never ends the process: a failure is a line on standard error, and the app runs on.
 *
 * Where chaos is not switched on, nothing is loaded and nothing opened. `CHAOS_ALLOW_ENVIRONMENT` names an environment beside development and test.
 */
export async function registerProcess(folder = process.cwd(), env = process.env): Promise<void> {
  // A preload runs in every thread.
  if (!isMainThread || Reflect.has(globalThis, PRELOADED)) return
  Reflect.set(globalThis, PRELOADED, undefined)
  try {
    const allowed = env['CHAOS_ALLOW_ENVIRONMENT']
    const allowEnvironments = ['development', 'test', ...(allowed === undefined || allowed === '' ? [] : [allowed])]
    const refusal = controllerRefusal(undefined, allowEnvironments, env)
    if (refusal !== undefined) throw refusal
    const chaos = createChaos({ allowEnvironments })
    Reflect.set(globalThis, PRELOADED, chaos.controller)
    // Synchronously where possible, so that a pool which the app makes at start-up is covered.
    const loaded = injectorsOf(folder).map(load)
    const early = loaded.flatMap((one) => (one instanceof Promise || one === undefined ? [] : [one]))
    const late = await Promise.all(loaded.filter((one) => one instanceof Promise))
    offerAll(chaos, [...early, ...late.filter((one) => one !== undefined)])
    await openSocket(chaos)
  } catch (error) {
    say(`no control socket was opened: ${messageOf(error, { max: 2_000 })}`)
  }
}

/** An injector that was loaded. */
interface Loaded extends Offer {
  readonly name: string
}

/** Loads an injector. One that fails stops no other. */
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

/** Offers each target with its own faults, and with those of every injector that accept it. */
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

function sayFailed(name: string, error: unknown): void {
  say(`${name} could not register its targets: ${messageOf(error, { max: 2_000 })}`)
}

/** Prints one line. Text of an injector or the system is escaped, so that a terminal cannot obey it. */
const say = (text: string): void => void process.stderr.write(`chaos: ${printable(text, { max: 2_000 })}\n`)
