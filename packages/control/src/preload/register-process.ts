import { isMainThread } from 'node:worker_threads'
import { createChaos, type Chaos, type Targets } from '@chaos/core'
import { controllerRefusal, messageOf, printable, type FaultFactoryFor } from '@chaos/core/authoring'
import { openSocket } from '../index.js'
import { injectorsOf, type Injector } from './injectors.js'
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
    await Promise.all(
      injectorsOf(folder)
        .map((injector) => offer(chaos, injector))
        .filter((late) => late !== undefined),
    )
    await openSocket(chaos)
  } catch (error) {
    say(`no control socket was opened: ${messageOf(error, { max: 2_000 })}`)
  }
}

/** Registers the targets of an injector. A failing injector does not stop the others. */
function offer(chaos: Chaos, { name, targets }: Injector): Promise<void> | undefined {
  const failed = (error: unknown): void =>
    say(`${name} could not register its targets: ${messageOf(error, { max: 2_000 })}`)
  try {
    const found = targets()
    if (found instanceof Promise) return found.then((late) => add(chaos, late)).catch(failed)
    add(chaos, found)
  } catch (error) {
    failed(error)
  }
  return undefined
}

/** Whether the faults fit their target is checked as it is added. */
function add(chaos: Chaos, targets: Targets): void {
  for (const [name, { object, faults }] of Object.entries(targets))
    chaos.target(name, object, faults as readonly FaultFactoryFor<object>[])
}

/** Prints one line. Text of an injector or the system is escaped, so that a terminal cannot obey it. */
const say = (text: string): void => void process.stderr.write(`chaos: ${printable(text, { max: 2_000 })}\n`)
